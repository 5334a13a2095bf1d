package e2e

import (
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/moodle/xmldb"
	"github.com/lmsvault/vault/dialects/mysql"
	"github.com/lmsvault/vault/internal/lab"
	"github.com/lmsvault/vault/internal/servers"
)

// Tables created from the definitions in Moodle's code match these definitions when
// they are read back. MySQL does not keep the digits of integers.
func TestCreatedTablesMatchDefinitions(t *testing.T) {
	t.Parallel()
	code, err := component.LoadFS(t.Context(), lab.Code(t), component.Options{})
	if err != nil {
		t.Fatal(err)
	}
	definitions, problems, err := code.Definitions(t.Context())
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	for name, home := range map[string]func(testing.TB) servers.Database{"mariadb": servers.MariaDB, "mysql": servers.MySQL} {
		t.Run(name, func(t *testing.T) {
			db := home(t)
			server, err := mysql.Connect(t.Context(), config.NewSecret(db.DSN))
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			collations, err := server.Collations(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			w := mysql.Writer{Server: server, Collations: collations, Prefix: "mdl_", FromPrefix: "mdl_", KeepNames: true}
			made := 0
			for _, d := range definitions {
				for i := range d.Tables {
					table := d.Tables[i].On(xmldb.MySQL, "mdl_", free())
					made++
					ddl, err := w.Define(&table)
					if err != nil {
						t.Fatal(err)
					}
					for _, statement := range append([]string{ddl.Create("mdl_" + table.Name)}, ddl.Indexes("mdl_"+table.Name)...) {
						if _, err := db.SQL.ExecContext(t.Context(), statement); err != nil {
							t.Fatalf("%v\n%s", err, statement)
						}
					}
				}
			}
			tables, losses := structure(t, "mysql", db.DSN)
			if len(tables) != made || made < 500 {
				t.Errorf("%d tables of %d", len(tables), made)
			}
			for _, d := range xmldb.Compare(definitions, xmldb.Database{Dialect: xmldb.MySQL, Prefix: "mdl_", Tables: tables, Losses: losses}) {
				t.Errorf("%s: %s", d.Component, d)
			}
		})
	}
}

// free reports whether a name has not been used yet.
func free() func(string) bool {
	taken := map[string]bool{}
	return func(name string) bool {
		was := taken[name]
		taken[name] = true
		return !was
	}
}
