package siteconfig

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"

	dialectmysql "github.com/lmsvault/vault/dialects/mysql"
	"github.com/lmsvault/vault/dialects/postgres"
	"github.com/lmsvault/vault/internal/servers"
)

// phpText formats a text as a PHP string in single quotes.
func phpText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// The DSN from a config.php opens the database on a real server, as in a stage.
func TestDSNOpensTheDatabase(t *testing.T) {
	configPHP := func(dbtype, host string, port int, name, user, password string) string {
		return fmt.Sprintf("<?php\n$CFG = new stdClass();\n$CFG->dbtype = '%s';\n$CFG->dbhost = %s;\n$CFG->dbname = %s;\n$CFG->dbuser = %s;\n$CFG->dbpass = %s;\n$CFG->dboptions = ['dbport' => '%d'%s];\n",
			dbtype, phpText(host), phpText(name), phpText(user), phpText(password), port, map[bool]string{true: ", 'ssl' => 'disable'"}[dbtype == "pgsql"])
	}
	database := func(t *testing.T, code string) Database {
		s, err := Read(t.Context(), site(t, "config.php", code), Options{})
		if err != nil {
			t.Fatal(err)
		}
		d, err := s.Database()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for name, start := range map[string]func(testing.TB) servers.Database{"mariadb": servers.MariaDB, "mysqli": servers.MySQL} {
		t.Run(name, func(t *testing.T) {
			c, err := mysql.ParseDSN(start(t).DSN)
			if err != nil {
				t.Fatal(err)
			}
			host, port, _ := strings.Cut(c.Addr, ":")
			var n int
			if _, err := fmt.Sscan(port, &n); err != nil {
				t.Fatal(err)
			}
			d := database(t, configPHP(name, host, n, c.DBName, c.User, c.Passwd))
			server, err := dialectmysql.Connect(t.Context(), d.DSN())
			if err != nil {
				t.Fatal(err)
			}
			if server.Database != c.DBName {
				t.Errorf("opened database %q, want %q", server.Database, c.DBName)
			}
			if err := server.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("pgsql", func(t *testing.T) {
		c, err := pgx.ParseConfig(servers.Postgres(t).DSN)
		if err != nil {
			t.Fatal(err)
		}
		d := database(t, configPHP("pgsql", c.Host, int(c.Port), c.Database, c.User, c.Password))
		conn, err := postgres.Connection{DSN: d.DSN(), Prefix: d.Prefix, Schema: d.Schema}.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var name string
		if err := conn.QueryRow(t.Context(), "SELECT current_database()").Scan(&name); err != nil || name != c.Database {
			t.Errorf("opened database %q, %v, want %q", name, err, c.Database)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
