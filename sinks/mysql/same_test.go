package mysql_test

import (
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/servers"
	sink "github.com/lmsvault/vault/sinks/mysql"
	mysource "github.com/lmsvault/vault/sources/mysql"
)

// Moving a site onto itself, under another address of the server, is refused and
// changes nothing.
func TestSiteIsNotMovedOntoItself(t *testing.T) {
	for name, make := range map[string]func(testing.TB) servers.Database{"MariaDB": servers.MariaDB, "MySQL": servers.MySQL} {
		t.Run(name, func(t *testing.T) {
			db := make(t)
			for _, s := range []string{"CREATE TABLE mdl_a (id int PRIMARY KEY)", "INSERT INTO mdl_a VALUES (7)"} {
				if _, err := db.SQL.ExecContext(t.Context(), s); err != nil {
					t.Fatal(err)
				}
			}
			env := stage.Env{Workers: 2, TempDir: t.TempDir()}
			from, err := mysource.Stage().NewSource(t.Context(), &mysource.Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_"}, env)
			if err != nil {
				t.Fatal(err)
			}
			out := sink.Stage()
			to, err := out.NewSink(t.Context(), &sink.Config{DSN: config.NewSecret(strings.Replace(db.DSN, "127.0.0.1", "localhost", 1)), Prefix: "mdl_", Load: "auto"}, env)
			if err != nil {
				t.Fatal(err)
			}
			j := &run.Job{
				Name: "move", Workers: 2, TempDir: env.TempDir, Reporter: progress.Silent{},
				Origins: []run.Origin{{Name: "mysql", Source: from, Database: true}},
				Targets: []*run.Target{{Name: "mysql", Sink: to, Parts: out.Parts, Dialect: out.Dialect, Replace: stage.ReplaceSwap}},
			}
			_, err = j.Run(t.Context())
			if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "same database") {
				t.Errorf("got %v", err)
			}
			if err := j.Close(t.Context()); err != nil {
				t.Error(err)
			}
			var id int
			if err := db.SQL.QueryRowContext(t.Context(), "SELECT id FROM mdl_a").Scan(&id); err != nil || id != 7 {
				t.Errorf("the site has %d, %v", id, err)
			}
		})
	}
}
