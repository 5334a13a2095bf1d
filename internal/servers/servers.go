// Package servers gives tests temporary databases on real servers, which the test
// command (make test) starts and names in the environment.
//
// If a server is missing, tests skip and say so; with CI=true they fail.
package servers

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/lmsvault/vault/internal/machine"
)

// Environment variables with the servers' administrator DSNs, without a database:
// user:password@tcp(127.0.0.1:3306)/ for the MySQL family,
// postgres://postgres@127.0.0.1:5432/postgres for PostgreSQL.
const (
	MariaDBEnv  = "VAULT_TEST_MARIADB"
	MySQLEnv    = "VAULT_TEST_MYSQL"
	PostgresEnv = "VAULT_TEST_POSTGRES"
)

// Database is an empty database that is dropped when the test ends.
type Database struct {
	DSN string  // in the format of the stages mysql and postgres
	SQL *sql.DB // connected to it with all privileges, for the test
}

// MariaDB creates a database on the MariaDB server.
func MariaDB(t testing.TB) Database { return mysqlFamily(t, MariaDBEnv) }

// MySQL creates a database on the MySQL server.
func MySQL(t testing.TB) Database { return mysqlFamily(t, MySQLEnv) }

// Postgres creates a database on the PostgreSQL server.
func Postgres(t testing.TB) Database {
	admin := dsn(t, PostgresEnv)
	name := create(t, "pgx", admin, `DROP DATABASE IF EXISTS %s WITH (FORCE)`, `CREATE DATABASE %s ENCODING 'UTF8' TEMPLATE template0`)
	base, query, _ := strings.Cut(admin, "?")
	base = base[:strings.LastIndex(base, "/")+1] + name
	if query != "" {
		base += "?" + query
	}
	return Database{DSN: base, SQL: open(t, "pgx", base)}
}

func mysqlFamily(t testing.TB, env string) Database {
	admin := dsn(t, env)
	name := create(t, "mysql", admin, "DROP DATABASE IF EXISTS %s", "CREATE DATABASE %s CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
	cfg, err := mysql.ParseDSN(admin)
	if err != nil {
		t.Fatalf("%s: %v", env, err)
	}
	cfg.DBName = name
	return Database{DSN: cfg.FormatDSN(), SQL: open(t, "mysql", cfg.FormatDSN())}
}

func dsn(t testing.TB, env string) string {
	t.Helper()
	v := os.Getenv(env)
	if v == "" {
		machine.Missing(t, "%s, a server's DSN: make test starts the servers", env)
	}
	return v
}

func open(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing a test database: %v", err)
		}
	})
	return db
}

// create creates a database with a random name on the server and drops it when the
// test ends.
func create(t testing.TB, driver, admin, drop, make string) string {
	t.Helper()
	var raw [6]byte
	if _, err := rand.Read(raw[:]); err != nil {
		t.Fatal(err)
	}
	name := "vt_" + hex.EncodeToString(raw[:])
	db := open(t, driver, admin)
	if _, err := db.ExecContext(t.Context(), fmt.Sprintf(make, name)); err != nil {
		t.Fatalf("creating database %s: %v", name, err)
	}
	t.Cleanup(func() {
		if _, err := db.ExecContext(context.Background(), fmt.Sprintf(drop, name)); err != nil {
			t.Errorf("dropping database %s: %v", name, err)
		}
	})
	return name
}
