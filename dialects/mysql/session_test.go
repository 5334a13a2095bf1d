package mysql

import (
	"context"
	"database/sql/driver"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/internal/servers"
)

// spoilt has a different value for each variable of a session, as a server, user or
// init_connect may set it.
var spoilt = map[string]string{
	"sql_select_limit": "0", "sql_big_selects": "0", "sql_safe_updates": "1", "sql_auto_is_null": "1",
	"system_versioning_asof": "'2001-01-01 00:00:00'", "use_secondary_engine": "FORCED",
	"character_set_client": "latin1", "character_set_connection": "latin1", "character_set_results": "latin1",
	"sql_mode": "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'", "old_mode": "''", "time_zone": "'+05:45'", "sql_quote_show_create": "0",
	"information_schema_stats_expiry": "86400", "show_gipk_in_create_table_and_information_schema": "0",
	"sql_notes": "0", "foreign_key_checks": "1", "unique_checks": "0", "check_constraint_checks": "0", "sql_if_exists": "1", "default_storage_engine": "MyISAM",
	"autocommit": "0", "completion_type": "CHAIN", "transaction_isolation": "'READ-UNCOMMITTED'", "transaction_read_only": "1", "tx_isolation": "'READ-UNCOMMITTED'", "tx_read_only": "1",
	"net_read_timeout": "7", "net_write_timeout": "7", "wait_timeout": "7", "lock_wait_timeout": "7", "max_statement_time": "7", "max_execution_time": "7000",
	"idle_transaction_timeout": "7", "idle_readonly_transaction_timeout": "7", "idle_write_transaction_timeout": "7",
}

// Every variable has Vault's value, whatever the session begins with.
func TestSessionIsIndependentOfDefaults(t *testing.T) {
	for _, engine := range []struct {
		name string
		make func(testing.TB) servers.Database
	}{{"MariaDB", servers.MariaDB}, {"MySQL", servers.MySQL}} {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			cfg, err := mysql.ParseDSN(engine.make(t).DSN)
			if err != nil {
				t.Fatal(err)
			}
			s := &Server{}
			want, err := s.detect(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Params = map[string]string{}
			maps.Copy(cfg.Params, spoilt)
			for _, v := range session {
				if spoilt[v.name] == "" {
					t.Errorf("the test has no other value for %s", v.name)
				}
			}
			maps.DeleteFunc(cfg.Params, func(name, _ string) bool {
				for _, v := range want {
					if v.name == name {
						return false
					}
				}
				return true
			})
			db, err := open(cfg, want)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			}()
			for _, v := range want {
				var got string
				if err := db.QueryRowContext(t.Context(), "SELECT @@SESSION."+v.name).Scan(&got); err != nil {
					t.Fatalf("%s: %v", v.name, err)
				}
				if !v.is(got) || v.is(cfg.Params[v.name]) {
					t.Errorf("%s is %s, want %s", v.name, got, v.plain())
				}
			}
			rows := 0
			if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM (SELECT 1 UNION ALL SELECT 2) t").Scan(&rows); err != nil || rows != 2 {
				t.Errorf("%d rows, %v", rows, err)
			}
		})
	}
}

// A DSN parameter that would change what is read is refused by name.
func TestConflictingParametersAreRefused(t *testing.T) {
	for params, name := range map[string]string{
		"sql_select_limit=1000":                             "sql_select_limit",
		"tls=true&character_set_results=latin1":             "character_set_results",
		"charset=utf8":                                      "charset",
		"charset=utf8mb4,latin1&collation=latin1_german_ci": "collation",
		"sql_mode=%27ANSI_QUOTES%27":                        "sql_mode",
		"time_zone=%27Europe%2FBerlin%27":                   "time_zone",
		"@@session.max_execution_time=5":                    "@@session.max_execution_time",
		"tx_read_only=1&password=s3cr3t":                    "tx_read_only",
		"collation_connection=latin1_bin":                   "collation_connection",

		"charset=utf8mb4&collation=utf8mb4_unicode_ci&parseTime=true&loc=UTC":            "",
		"time_zone=%27%2B00%3A00%27&autocommit=ON&sql_select_limit=18446744073709551615": "",
		"lock_wait_timeout=5&innodb_lock_wait_timeout=5&tls=skip-verify":                 "",
	} {
		err := CheckDSN(config.NewSecret("joe:pass/word@tcp(db:3306)/moodle?" + params))
		if name == "" {
			if err != nil {
				t.Errorf("%s: %v", params, err)
			}
			continue
		}
		if key, _ := config.KeyOf(err); err == nil || key != "dsn" || !strings.Contains(err.Error(), "parameter "+name+" of dsn") {
			t.Errorf("%s: %v", params, err)
		}
		if err != nil && (strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), "pass/word")) {
			t.Errorf("the error contains a secret: %v", err)
		}
	}
	_, err := Connect(t.Context(), config.NewSecret("joe@tcp(nowhere.invalid:3306)/moodle?sql_select_limit=5"))
	if failure.Of(err) != failure.Usage || !strings.Contains(err.Error(), "parameter sql_select_limit") {
		t.Errorf("Connect: %v", err)
	}
}

// deaf is a connection that ignores SET.
type deaf struct{ driver.Conn }

func (deaf) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.ResultNoRows, nil
}

func (deaf) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &limited{}, nil
}

type limited struct{ done bool }

func (*limited) Columns() []string { return []string{"a", "b"} }
func (*limited) Close() error      { return nil }
func (l *limited) Next(into []driver.Value) error {
	if l.done {
		return io.EOF
	}
	l.done = true
	into[0], into[1] = []byte("1000"), int64(0)
	return nil
}

// A server or proxy that accepts a variable but does not keep it is refused.
func TestVariablesAreReadBack(t *testing.T) {
	err := settle(t.Context(), deaf{}, []variable{{name: "sql_select_limit", value: "5"}, {name: "unique_checks", value: "0"}})
	want := "session variable sql_select_limit was set to 5 but is 1000; if a proxy changes it, connect to the server directly, or set it for the user or the server"
	if failure.Of(err) != failure.Refused || err.Error() != want {
		t.Errorf("%v (class %d), want %s", err, failure.Of(err), want)
	}
}

// A table without a key is refused if the server would add one and the user may not
// turn that off.
func TestTablesThatWouldGetKeyAreRefused(t *testing.T) {
	w := &Writer{Server: &Server{MakesKeys: true}}
	table := schema.Table{Name: "t", Dialect: Dialect, Columns: []schema.Column{{Name: "id", Native: "bigint", Type: schema.Type{Kind: schema.Int, Size: 8}}}}
	if got := w.Refuse(&table); !strings.Contains(got, "(sql_generate_invisible_primary_key)") || !strings.Contains(got, "SET PERSIST sql_generate_invisible_primary_key = OFF, or GRANT SESSION_VARIABLES_ADMIN") {
		t.Error(got)
	}
	table.PrimaryKey = []string{"id"}
	if got := w.Refuse(&table); got != "" {
		t.Error(got)
	}
}
