// Command versions prints the versions of the database servers that tests run on, in
// one line: those that package servers finds in the environment, and SQLite.
package main

import (
	"database/sql"
	"fmt"
	"os"
	"strings"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/lmsvault/vault/internal/servers"
)

func main() {
	var found []string
	for _, s := range []struct{ name, driver, dsn, query string }{
		{"MariaDB", "mysql", os.Getenv(servers.MariaDBEnv), "SELECT VERSION()"},
		{"MySQL", "mysql", os.Getenv(servers.MySQLEnv), "SELECT VERSION()"},
		{"PostgreSQL", "pgx", os.Getenv(servers.PostgresEnv), "SELECT current_setting('server_version')"},
		{"SQLite", "sqlite", ":memory:", "SELECT sqlite_version()"},
	} {
		version := "not here, not tested" // in CI the tests would have failed
		if s.dsn != "" {
			var err error
			if version, err = ask(s.driver, s.dsn, s.query); err != nil {
				fmt.Fprintf(os.Stderr, "versions: %s: %v\n", s.name, err)
				os.Exit(1)
			}
		}
		found = append(found, s.name+" "+version)
	}
	fmt.Println(strings.Join(found, ", "))
}

// ask returns the result of a query for one text.
func ask(driver, dsn, query string) (version string, err error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return "", err
	}
	defer db.Close()
	return version, db.QueryRow(query).Scan(&version)
}
