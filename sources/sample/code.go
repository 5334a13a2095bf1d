package sample

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// Code says where the parts of a sample site are, for the config.php of its code.
type Code struct {
	Dir      string // of the code
	Address  string // of the site: https://school.example
	Database string // the SQLite file
	Dataroot string
	Prefix   string
	// Country is forced by config.php, as a setting of the whole site, "" for none.
	Country string
}

// Address is the address of the sample site, which its rows name too.
const Address = "https://school.example/moodle"

// installed lists the plugins of the sample site in their order in Moodle, with the
// directory of each and the tables that it defines.
var installed = []struct {
	component, dir string
	tables         []string
}{
	{"mod_forum", "mod/forum", []string{"forum_posts"}},
	{"mod_quiz", "mod/quiz", []string{"quiz_attempts"}},
	{"enrol_manual", "enrol/manual", nil},
	{"theme_boost", "theme/boost", nil},
	{"tool_log", "admin/tool/log", nil},
	{"logstore_standard", "admin/tool/log/store/standard", []string{"logstore_standard_log"}},
}

const (
	version       = "2024100706.00"
	release       = "4.5.6 (Build: 20250811)"
	branch        = "405"
	pluginVersion = "2024100700"
)

// Write writes what of the site's code Vault reads: versions, the definitions of tables
// and config.php. The directory may exist; its files are replaced.
func (c Code) Write() (err error) {
	files := map[string]string{
		"config.php":                        c.config(),
		"version.php":                       fmt.Sprintf("<?php\ndefined('MOODLE_INTERNAL') || die();\n$version  = %s;\n$release  = '%s';\n$branch   = '%s';\n$maturity = MATURITY_STABLE;\n", version, release, branch),
		"lib/components.json":               `{"plugintypes": {"mod": "mod", "enrol": "enrol", "tool": "admin/tool", "theme": "theme", "local": "local"}, "subsystems": {"course": "course"}}` + "\n",
		"admin/tool/log/db/subplugins.json": `{"plugintypes": {"logstore": "admin/tool/log/store"}}` + "\n",
		"admin/environment.xml":             "<COMPATIBILITY_MATRIX><MOODLE version=\"4.5\" requires=\"4.1.2\"/></COMPATIBILITY_MATRIX>\n",
	}
	tables := map[string]schema.Table{}
	for _, t := range append(moodle(), fileTable()) {
		t.PrimaryKey = []string{"id"}
		tables[t.Name] = t
	}
	standard := map[string][]string{}
	for _, p := range installed {
		files[p.dir+"/version.php"] = fmt.Sprintf("<?php\ndefined('MOODLE_INTERNAL') || die();\n$plugin->version = %s;\n$plugin->requires = 2024100100;\n$plugin->component = '%s';\n", pluginVersion, p.component)
		kind, name, _ := strings.Cut(p.component, "_")
		standard[kind] = append(standard[kind], name)
		if p.tables == nil {
			continue
		}
		var own []schema.Table
		for _, name := range p.tables {
			own = append(own, tables[name])
			delete(tables, name)
		}
		if files[p.dir+"/db/install.xml"], err = definitions(p.dir+"/db", own); err != nil {
			return err
		}
	}
	var core []schema.Table
	for _, t := range tables {
		core = append(core, t)
	}
	slices.SortFunc(core, func(a, b schema.Table) int { return cmp.Compare(a.Name, b.Name) })
	if files["lib/db/install.xml"], err = definitions("lib/db", core); err != nil {
		return err
	}
	list, err := json.Marshal(map[string]any{"standard": standard, "deleted": map[string][]string{}})
	if err != nil {
		return err
	}
	files["lib/plugins.json"] = string(list) + "\n"
	for name, text := range files {
		path := filepath.Join(c.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("writing the code of the sample site: %w", err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("writing the code of the sample site: %w", err)
		}
	}
	return nil
}

// config returns a config.php as Moodle's installer writes it, for SQLite.
func (c Code) config() string {
	var b strings.Builder
	b.WriteString("<?php  // Moodle configuration file\n\nunset($CFG);\nglobal $CFG;\n$CFG = new stdClass();\n\n")
	fmt.Fprintf(&b, "$CFG->dbtype    = 'sqlite3';\n$CFG->dblibrary = 'pdo';\n$CFG->dbname    = 'moodle';\n$CFG->prefix    = %s;\n", quoted(c.Prefix))
	fmt.Fprintf(&b, "$CFG->dboptions = array (\n  'file' => %s,\n);\n\n", quoted(c.Database))
	fmt.Fprintf(&b, "$CFG->wwwroot   = %s;\n$CFG->dataroot  = %s;\n$CFG->admin     = 'admin';\n\n$CFG->directorypermissions = 0777;\n\n", quoted(c.Address), quoted(c.Dataroot))
	if c.Country != "" {
		fmt.Fprintf(&b, "$CFG->country = %s; // forced\n\n", quoted(c.Country))
	}
	b.WriteString("require_once(__DIR__ . '/lib/setup.php');\n")
	return b.String()
}

// quoted returns a text as a literal of PHP.
func quoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// xmlTable and the types below are the elements of an install.xml.
type xmlTable struct {
	Name    string     `xml:"NAME,attr"`
	Fields  []xmlField `xml:"FIELDS>FIELD"`
	Keys    []xmlKey   `xml:"KEYS>KEY"`
	Indexes []xmlIndex `xml:"INDEXES>INDEX,omitempty"`
}

type xmlField struct {
	Name     string  `xml:"NAME,attr"`
	Type     string  `xml:"TYPE,attr"`
	Length   int     `xml:"LENGTH,attr,omitempty"`
	NotNull  bool    `xml:"NOTNULL,attr"`
	Default  *string `xml:"DEFAULT,attr"`
	Sequence bool    `xml:"SEQUENCE,attr"`
	Decimals int     `xml:"DECIMALS,attr,omitempty"`
}

type xmlKey struct {
	Name   string `xml:"NAME,attr"`
	Type   string `xml:"TYPE,attr"`
	Fields string `xml:"FIELDS,attr"`
}

type xmlIndex struct {
	Name   string `xml:"NAME,attr"`
	Unique bool   `xml:"UNIQUE,attr"`
	Fields string `xml:"FIELDS,attr"`
}

// definitions returns an install.xml with the tables.
func definitions(dir string, tables []schema.Table) (string, error) {
	file := struct {
		XMLName xml.Name   `xml:"XMLDB"`
		Path    string     `xml:"PATH,attr"`
		Version string     `xml:"VERSION,attr"`
		Tables  []xmlTable `xml:"TABLES>TABLE"`
	}{Path: dir, Version: pluginVersion}
	for _, t := range tables {
		out := xmlTable{Name: t.Name, Keys: []xmlKey{{"primary", "primary", "id"}}}
		for _, c := range t.Columns {
			out.Fields = append(out.Fields, xmlFieldOf(c))
		}
		for _, x := range t.Indexes {
			var names []string
			for _, c := range x.Columns {
				names = append(names, c.Name)
			}
			out.Indexes = append(out.Indexes, xmlIndex{strings.Join(names, "-"), x.Unique, strings.Join(names, ", ")})
		}
		file.Tables = append(file.Tables, out)
	}
	text, err := xml.MarshalIndent(file, "", "  ")
	return xml.Header + string(text) + "\n", err
}

func xmlFieldOf(c schema.Column) xmlField {
	f := xmlField{Name: c.Name, NotNull: !c.Nullable, Sequence: c.Name == "id", Length: c.Type.Length}
	switch c.Type.Kind {
	case schema.Int:
		f.Type = "int"
	case schema.Char:
		f.Type = "char"
	case schema.Decimal:
		f.Type, f.Decimals = "number", c.Type.Scale
	default:
		f.Type = "text"
	}
	if c.Default != nil && (c.Type.Kind != schema.Char || c.Default.Value != "") {
		f.Default = &c.Default.Value
	}
	return f
}
