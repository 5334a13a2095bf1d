package database_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/internal/servers"
)

// The same statements have the same results on every engine.
func TestStatementsMeanTheSameOnEveryEngine(t *testing.T) {
	engines := map[string]func(t *testing.T) database.Address{
		"MariaDB":    func(t *testing.T) database.Address { return at("mysql", servers.MariaDB(t).DSN) },
		"MySQL":      func(t *testing.T) database.Address { return at("mysql", servers.MySQL(t).DSN) },
		"PostgreSQL": func(t *testing.T) database.Address { return at("postgres", servers.Postgres(t).DSN) },
		"SQLite":     sqliteFile,
	}
	for name, make := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			address := make(t)
			if err := address.Validate(); err != nil {
				t.Fatal(err)
			}
			d, err := address.Open(ctx)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := d.Close(ctx); err != nil {
					t.Error(err)
				}
			})
			do := func(statement string, args ...any) int64 {
				t.Helper()
				n, err := d.Exec(ctx, statement, args...)
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			first := func(statement string, args ...any) database.Text {
				t.Helper()
				v, err := d.First(ctx, statement, args...)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			do("CREATE TABLE {config} (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, value TEXT)")
			do("INSERT INTO {config} (id, name, value) VALUES (?, ?, ?), (?, ?, ?)", int64(1), "siteidentifier", "abc'\\?", 2, "empty", nil)
			if v := first("SELECT value FROM {config} WHERE id = ?", 1); v.String != "abc'\\?" || !v.Valid {
				t.Errorf("the value is %q", v.String)
			}
			if v := first("SELECT value FROM {config} WHERE name = ?", "empty"); v.Valid {
				t.Errorf("NULL is %q", v.String)
			}
			if v := first("SELECT value FROM {config} WHERE name = ?", "nothing"); v.Valid {
				t.Errorf("no row is %q", v.String)
			}
			broken := errors.New("broken")
			if err := d.Atomically(ctx, func() error { do("DELETE FROM {config}"); return broken }); !errors.Is(err, broken) {
				t.Errorf("the error is %v", err)
			}
			if err := d.Atomically(ctx, func() error {
				if n := do("UPDATE {config} SET value = ? WHERE name = ?", "full", "empty"); n != 1 {
					t.Errorf("%d rows were changed", n)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
			all, err := d.Query(ctx, "SELECT id, value FROM {config} ORDER BY id")
			if err != nil || len(all) != 2 || all[1][0].String != "2" || all[1][1].String != "full" {
				t.Errorf("the rows are %v (%v)", all, err)
			}
			table, err := d.Table(ctx, "config")
			if err != nil || table == nil || len(table.Columns) != 3 || len(table.PrimaryKey) != 1 {
				t.Errorf("the table is %+v (%v)", table, err)
			}
			if site, err := d.Site(ctx); err != nil || site != (moodle.Site{ID: "abc'\\?"}) {
				t.Errorf("the site is %+v (%v)", site, err)
			}
			if _, err := d.Exec(ctx, "SELECT nothing FROM {config}"); err == nil {
				t.Error("a wrong statement has no error")
			}
		})
	}
}

func at(engine, dsn string) database.Address {
	return database.Address{Engine: engine, DSN: config.NewSecret(dsn), Prefix: "mdl_"}
}

func sqliteFile(t *testing.T) database.Address {
	path := filepath.Join(t.TempDir(), "site.sqlite")
	if err := os.WriteFile(path, nil, 0o600); err != nil { // an empty database
		t.Fatal(err)
	}
	return database.Address{Engine: "sqlite", Path: path, Prefix: "mdl_"}
}
