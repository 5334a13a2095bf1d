package xmldb

import (
	"reflect"
	"strings"
	"testing"
)

// within returns a file with one table.
func within(table string) string {
	return `<?xml version="1.0" encoding="UTF-8" ?>
<XMLDB PATH="mod/x/db" VERSION="20240101" COMMENT="x">
<TABLES>` + table + `</TABLES>
<STATEMENTS><STATEMENT NAME="insert" TYPE="insert" TABLE="log_display" COMMENT="of Moodle 1.9"/></STATEMENTS>
</XMLDB>`
}

const sample = `
  <TABLE NAME="x_things" COMMENT="Things &amp; more" PREVIOUS="a" NEXT="b">
    <FIELDS>
      <FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" UNSIGNED="true" SEQUENCE="true" NEXT="name"/>
      <FIELD NAME="Name" TYPE="CHAR" LENGTH="255" NOTNULL="true" DEFAULT="" SEQUENCE="false"/>
      <FIELD NAME="note" TYPE="text" LENGTH="medium" NOTNULL="false" DEFAULT="x"/>
      <FIELD NAME="grade" TYPE="number" LENGTH="10" DECIMALS="5" NOTNULL="true" DEFAULT=" 0 "/>
      <FIELD NAME="kind" TYPE="char" LENGTH="20" NOTNULL="false" DEFAULT=""/>
    </FIELDS>
    <KEYS>
      <KEY NAME="primary" TYPE="primary" FIELDS="id"/>
      <KEY NAME="fk" TYPE="foreign" FIELDS="kind" REFTABLE="kinds" REFFIELDS="id"/>
    </KEYS>
    <INDEXES>
      <INDEX NAME="namekind" UNIQUE="true" FIELDS="name, kind" HINTS="varchar_pattern_ops, full_text"/>
    </INDEXES>
  </TABLE>`

func TestParse(t *testing.T) {
	zero, empty := "0", ""
	want := []Table{{
		Name: "x_things", Comment: "Things & more",
		Fields: []Field{
			{Name: "id", Type: Int, Length: 10, NotNull: true, Sequence: true},
			{Name: "name", Type: Char, Length: 255, NotNull: true},
			{Name: "note", Type: Text},
			{Name: "grade", Type: Number, Length: 10, Decimals: 5, NotNull: true, Default: &zero},
			{Name: "kind", Type: Char, Length: 20, Default: &empty},
		},
		Keys: []Key{
			{Name: "primary", Type: Primary, Fields: []string{"id"}},
			{Name: "fk", Type: Foreign, Fields: []string{"kind"}, RefTable: "kinds", RefFields: []string{"id"}},
		},
		Indexes: []Index{{Name: "namekind", Unique: true, Fields: []string{"name", "kind"}, Hints: []string{"varchar_pattern_ops", "full_text"}}},
	}}
	latin := strings.Replace(within(sample), "UTF-8", "ISO-8859-1", 1)
	latin = strings.Replace(latin, `COMMENT="x"`, "COMMENT=\"\xe4\"", 1)
	for name, src := range map[string]string{
		"as Moodle writes it": within(sample),
		"byte order mark":     "\xef\xbb\xbf" + within(sample),
		"Windows line ends":   strings.ReplaceAll(within(sample), "\n", "\r\n"),
		"Latin 1":             latin,
		"a comment":           strings.Replace(within(sample), "<TABLES>", "<!-- <TABLES> --><TABLES>", 1),
		"a document type":     strings.Replace(within(sample), "<XMLDB", "<!DOCTYPE XMLDB>\n<XMLDB", 1),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse([]byte(src))
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%v\n%+v\nwant\n%+v", err, got, want)
			}
		})
	}
	if got, err := Parse([]byte("<XMLDB PATH='x'><TABLES/></XMLDB>")); err != nil || len(got) != 0 {
		t.Errorf("no tables: %v, %v", got, err)
	}
}

func TestParseErrors(t *testing.T) {
	field := func(attributes string) string {
		return within("\n<TABLE NAME=\"x\">\n<FIELDS>\n<FIELD NAME=\"a\" " + attributes + "/></FIELDS></TABLE>")
	}
	for name, c := range map[string]struct{ src, want string }{
		"nothing":            {"", "no XMLDB element; not an install.xml"},
		"another document":   {"<html></html>", "no XMLDB element; not an install.xml"},
		"not closed":         {"<XMLDB>\n<TABLES>", "line 2: unexpected EOF"},
		"an entity":          {strings.Replace(within(sample), "&amp;", "&lol9;", 1), "invalid character entity &lol9;"},
		"entities in a DTD":  {`<!DOCTYPE x [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><XMLDB PATH="&lol2;"/>`, "invalid character entity &lol2;"},
		"another encoding":   {strings.Replace(within(sample), "UTF-8", "UTF-16", 1), `unknown encoding "UTF-16"`},
		"not UTF-8":          {strings.Replace(within(sample), "Things", "Th\xffngs", 1), "invalid UTF-8"},
		"a table's name":     {within(`<TABLE NAME="a b"/>`), `line 3: NAME "a b" is not a valid name`},
		"no name":            {within(`<TABLE/>`), "element TABLE without NAME"},
		"no fields":          {within(`<TABLE NAME="x"/>`), "table x: no fields"},
		"a type":             {field(`TYPE="uuid"`), `line 6: table x: field a: TYPE "uuid" is not an XMLDB type`},
		"a length":           {field(`TYPE="char" LENGTH="many"`), `field a: LENGTH "many" is not a number`},
		"a huge length":      {field(`TYPE="char" LENGTH="99999999999999999999"`), `field a: LENGTH "99999999999999999999" is not a number`},
		"a field twice":      {within(`<TABLE NAME="x"><FIELDS><FIELD NAME="a" TYPE="int"/><FIELD NAME="A" TYPE="int"/></FIELDS></TABLE>`), "table x: field a is defined twice"},
		"an unknown field":   {within(`<TABLE NAME="x"><FIELDS><FIELD NAME="a" TYPE="int"/></FIELDS><INDEXES><INDEX NAME="i" FIELDS="a, b"/></INDEXES></TABLE>`), `table x: index "i" uses field "b"`},
		"an empty key":       {within(`<TABLE NAME="x"><FIELDS><FIELD NAME="a" TYPE="int"/></FIELDS><KEYS><KEY NAME="k" TYPE="unique" FIELDS=" , "/></KEYS></TABLE>`), `table x: key "k" has no fields`},
		"a key's type":       {within(`<TABLE NAME="x"><FIELDS><FIELD NAME="a" TYPE="int"/></FIELDS><KEYS><KEY NAME="k" TYPE="exclusion" FIELDS="a"/></KEYS></TABLE>`), `key "k": TYPE "exclusion"`},
		"nesting":            {"<XMLDB>" + strings.Repeat("<a>", 20), "elements nested deeper than 16"},
		"too many fields":    {within(`<TABLE NAME="x"><FIELDS>` + strings.Repeat(`<FIELD NAME="a" TYPE="int"/>`, maxItems+1)), "more than 65536 fields"},
		"a file that is big": {within(strings.Repeat(" ", MaxBytes)), "exceed the limit of 16777216"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(c.src)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// Whatever a file contains, the tables that Parse returns can be created on both
// engines and do not differ from their definition.
func FuzzParse(f *testing.F) {
	f.Add([]byte(within(sample)))
	f.Add([]byte(`<XMLDB><TABLES><TABLE NAME="search_simpledb_index"><FIELDS><FIELD NAME="a" TYPE="float" DECIMALS="3" DEFAULT="1e5"/></FIELDS></TABLE></TABLES></XMLDB>`))
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "b">]><XMLDB>&a;</XMLDB>`))
	f.Fuzz(func(t *testing.T, src []byte) {
		tables, err := Parse(src)
		if err != nil {
			return
		}
		definitions := []Definition{{Component: "core", Tables: tables}}
		for _, dialect := range []string{MySQL, Postgres} {
			db := Database{Dialect: dialect, Prefix: "mdl_"}
			seen := map[string]bool{}
			for i := range tables {
				if !seen[tables[i].Name] {
					db.Tables = append(db.Tables, tables[i].On(dialect, "mdl_", taker()))
				}
				seen[tables[i].Name] = true
			}
			for _, d := range Compare(definitions, db) {
				t.Errorf("%s: %s", dialect, d)
			}
		}
	})
}
