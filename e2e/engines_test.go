package e2e

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/lmsvault/vault/internal/compare"
	"github.com/lmsvault/vault/internal/servers"
)

// engine creates empty databases of one kind.
type engine struct {
	name string
	make func(t testing.TB) database
}

// database is a site's database, with the settings of its stage and a connection for
// the test.
type database struct {
	stage string // {use: …, with: {…}} with the secret in the environment under DSN_<name>
	env   string // NAME=value
	look  compare.Database
}

var engines = []engine{
	{"mariadb", func(t testing.TB) database { return server("mysql", servers.MariaDB(t)) }},
	{"mysql", func(t testing.TB) database { return server("mysql", servers.MySQL(t)) }},
	{"postgres", func(t testing.TB) database { return server("postgres", servers.Postgres(t)) }},
	{"sqlite", sqliteFile},
}

func server(dialect string, db servers.Database) database {
	return database{
		stage: "{use: " + dialect + `, with: {dsn: "${env:%s}"}}`,
		env:   db.DSN,
		look:  compare.Database{Dialect: dialect, SQL: db.SQL, Prefix: "mdl_"},
	}
}

func sqliteFile(t testing.TB) database {
	path := filepath.Join(t.TempDir(), "site.sqlite")
	return database{
		stage: `{use: sqlite, with: {path: "${env:%s}"}}`,
		env:   path,
		look:  sqliteAt(t, path),
	}
}

// sqliteAt opens a SQLite file.
func sqliteAt(t testing.TB, path string) compare.Database {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return compare.Database{Dialect: "sqlite", SQL: db, Prefix: "mdl_"}
}
