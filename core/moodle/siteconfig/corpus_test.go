package siteconfig

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/php"
)

var update = flag.Bool("update", false, "write the files named want anew")

// world is a site's directory on an imaginary machine: outside of it only the files
// that the case names exist.
type world struct {
	confined
	dir   string
	there map[string]bool
}

func (w world) Stat(path string) (fs.FileInfo, error) {
	if strings.HasPrefix(path, w.dir) {
		return os.Stat(path)
	}
	if w.there[path] {
		return os.Stat(w.dir)
	}
	return nil, fs.ErrNotExist
}

// corpusCase reads the file named outside of a case: everything that its config.php
// may depend on.
func corpusCase(t *testing.T, dir string) (path string, o Options) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "outside"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	env, there := map[string]string{}, map[string]bool{}
	o = Options{Server: map[string]string{}, Given: map[string]config.Secret{}}
	o.Env = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	path = dir
	for line := range strings.Lines(string(text)) {
		what, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, value, _ := strings.Cut(rest, "=")
		switch what {
		case "env":
			env[name] = value
		case "server":
			o.Server[name] = value
		case "given":
			o.Given[name] = config.NewSecret(value)
		case "address":
			o.Address = rest
		case "there":
			there[rest] = true
		case "path":
			path = filepath.Join(dir, rest)
		default:
			t.Fatalf("%s: unknown line %q", dir, line)
		}
	}
	at, err := Find(path)
	if err != nil {
		t.Fatal(err)
	}
	o.Files = world{confine(at.File, at.File, nil), dir, there}
	return path, o
}

// Every config.php of testdata is read as the file want beside it says.
func TestCorpus(t *testing.T) {
	cases, err := filepath.Glob("testdata/sites/*")
	if err != nil || len(cases) < 40 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, dir := range cases {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			dir, err := filepath.Abs(dir)
			if err != nil {
				t.Fatal(err)
			}
			path, o := corpusCase(t, dir)
			s, err := Read(t.Context(), path, o)
			got := ""
			if err != nil {
				got = "error: " + err.Error() + "\n"
			} else {
				got = describe(t, s)
			}
			for _, known := range [][2]string{{dir, "DIR"}, {filepath.Dir(dir), "PARENT"}, {filepath.Dir(filepath.Dir(dir)), "ABOVE"}} {
				got = strings.ReplaceAll(got, known[0], known[1])
			}
			file := filepath.Join(dir, "want")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// describe formats everything that is known of a site.
func describe(t *testing.T, s *Site) string {
	var b strings.Builder
	line := func(name string, value any, err error) {
		if err != nil {
			for text := range strings.Lines(err.Error()) {
				fmt.Fprintf(&b, "%s: error: %s\n", name, strings.TrimSpace(text))
			}
		} else if value != "" {
			fmt.Fprintf(&b, "%s: %v\n", name, value)
		}
	}
	d, err := s.Database()
	if err != nil {
		line("database", "", err)
	} else {
		if d.Engine == SQLite {
			line("file", d.Path, nil)
		} else {
			checkDSN(t, d)
			line("dsn", string(d.Engine)+" "+d.DSN().Reveal(), nil)
		}
		line("prefix", d.Prefix, nil)
		line("schema", d.Schema, nil)
		line("collation", d.Collation, nil)
		if d.Replicas > 0 {
			line("replicas", d.Replicas, nil)
		}
	}
	wwwroot, err := s.WWWRoot()
	line("wwwroot", wwwroot, err)
	dataroot, err := s.DataRoot()
	line("dataroot", dataroot, err)
	line("permissions", fmt.Sprintf("%#o", s.DirectoryPermissions()), nil)
	proxy, err := s.Proxy(nil)
	if u := proxy.For("example.org"); u != nil {
		line("proxy", u.String()+" except "+strings.Join(proxy.Bypass, " "), err)
	} else {
		line("proxy", "", err)
	}
	if s.Web != s.Dir {
		line("web", s.Web, nil)
	}
	forced := s.Forced()
	for _, one := range append(slices.Clone(forced.Core), forced.Plugins...) {
		if slices.Contains([]string{"dbtype", "dblibrary", "dbhost", "dbname", "dbuser", "dbpass", "prefix", "dboptions", "wwwroot", "dataroot", "directorypermissions", "admin"}, one.Name) && one.Plugin == "" {
			continue
		}
		name := one.Name
		if one.Plugin != "" {
			name = one.Plugin + "/" + name
		}
		line("forced "+name, written(one.Value), nil)
	}
	if forced.Open != nil {
		line("open", forced.Open.String(), nil)
	}
	for _, u := range s.Unset {
		line("unset", fmt.Sprintf("%s (%s)", u.Name, u.Pos), nil)
	}
	for _, file := range s.Included[1:] {
		line("included", file, nil)
	}
	return b.String()
}

func written(v php.Value) string {
	if v.Unknown() != nil {
		return "? " + v.Unknown().String()
	}
	if v.Kind() == php.KindArray {
		var parts []string
		for k, item := range v.Items {
			parts = append(parts, k+" => "+written(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	text, ok := v.Text()
	if !ok {
		return v.String()
	}
	if v.Kind() == php.KindString {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprintf("%s (%s)", text, v)
}

// checkDSN parses a DSN with the driver that it is for.
func checkDSN(t *testing.T, d Database) {
	t.Helper()
	dsn := d.DSN().Reveal()
	var host, name, user, pass string
	if d.Engine == MySQL {
		c, err := mysql.ParseDSN(dsn)
		if err != nil {
			t.Errorf("the driver does not take %s: %v", dsn, err)
			return
		}
		host, name, user, pass = c.Addr, c.DBName, c.User, c.Passwd
	} else {
		c, err := pgx.ParseConfig(dsn)
		if err != nil {
			t.Errorf("the driver does not take %s: %v", dsn, err)
			return
		}
		host, name, user, pass = c.Host, c.Database, c.User, c.Password
		if int(c.Port) != d.Port {
			t.Errorf("%s has port %d, want %d", dsn, c.Port, d.Port)
		}
	}
	if !strings.Contains(host, d.Host+d.Socket) || name != d.Name || user != d.User || pass != d.Password.Reveal() {
		t.Errorf("%s is read as %q, %q, %q, %q", dsn, host, name, user, pass)
	}
}
