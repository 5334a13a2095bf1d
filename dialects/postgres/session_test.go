package postgres

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/internal/servers"
)

// spoilt has a different value for each setting, as a server, database or role may
// set it.
var spoilt = map[string]string{
	"client_encoding": "latin1", "TimeZone": "'Asia/Kathmandu'", "DateStyle": "'SQL, DMY'", "IntervalStyle": "iso_8601", "extra_float_digits": "0",
	"bytea_output": "escape", "xmloption": "document", "xmlbinary": "hex", "lc_monetary": "'C.UTF-8'", "array_nulls": "off", "standard_conforming_strings": "off",
	"escape_string_warning": "on", "transform_null_equals": "on", "quote_all_identifiers": "on", "search_path": "public, pg_catalog",
	"row_security": "on", "gin_fuzzy_search_limit": "1", "default_transaction_isolation": "serializable", "default_transaction_deferrable": "on",
	"synchronous_commit": "off", "statement_timeout": "'7s'", "lock_timeout": "'7s'", "transaction_timeout": "'7s'", "idle_in_transaction_session_timeout": "'7s'",
	"idle_session_timeout": "'7s'", "synchronize_seqscans": "on", "max_parallel_workers_per_gather": "2", "jit": "on", "client_min_messages": "error", "application_name": "other",
}

func database(t *testing.T, db servers.Database) (name string) {
	t.Helper()
	if err := db.SQL.QueryRow("SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}

// Whatever a database's defaults are, a session writes values in one format and every
// setting has Vault's value.
func TestSessionIsIndependentOfDefaults(t *testing.T) {
	db := servers.Postgres(t)
	name := database(t, db)
	list := settings(Site{Schema: "public"}, 10*time.Second, "vault")
	for _, s := range list {
		if s.fixed {
			continue
		}
		if spoilt[s.name] == "" {
			t.Errorf("the test has no other value for %s", s.name)
			continue
		}
		var there bool
		if err := db.SQL.QueryRow("SELECT EXISTS (SELECT FROM pg_settings WHERE name = $1)", s.name).Scan(&there); err != nil {
			t.Fatal(err)
		}
		if !there {
			continue
		}
		if _, err := db.SQL.Exec("ALTER DATABASE " + name + " SET " + s.name + " = " + spoilt[s.name]); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PGTZ", "Europe/Berlin")
	conn := open(t, db.DSN)
	conn2 := open(t, db.DSN+"&options=-c%20TimeZone%3DUTC&timezone=utc&application_name=mine&search_path=public")
	for _, s := range list {
		for _, c := range []*Conn{conn, conn2} {
			var got []string
			err := c.QueryRow(t.Context(), "SELECT array_agg(setting) FROM pg_settings WHERE name = $1", s.name).Scan(&got)
			want := s.value
			if c == conn2 && s.name == "application_name" {
				want = "mine"
			}
			if err != nil || len(got) > 0 && got[0] != want {
				t.Errorf("%s is %q (%v), want %s", s.name, got, err, want)
			}
		}
	}
	var got string
	if err := conn.QueryRow(t.Context(), `SELECT concat_ws('|', '2024-07-01 12:00:00Z'::timestamptz, '2024-02-03'::date, '1 day 2 hours'::interval, 0.1::float8 + 0.2::float8, '\x00ff'::bytea, 'ü', '\')`).Scan(&got); err != nil {
		t.Fatal(err)
	}
	if want := `2024-07-01 12:00:00+00|2024-02-03|1 day 02:00:00|0.30000000000000004|\x00ff|ü|\`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A setting that hides damage and that only a superuser can change is refused with
// its name, its value and a remedy.
func TestSettingsThatHideDamageAreRefused(t *testing.T) {
	for _, name := range []string{"zero_damaged_pages", "ignore_checksum_failure"} {
		db := servers.Postgres(t)
		if _, err := db.SQL.Exec("ALTER DATABASE " + database(t, db) + " SET " + name + " = on"); err != nil {
			t.Fatal(err)
		}
		_, err := Connection{DSN: config.NewSecret(db.DSN), Prefix: "mdl_"}.Open(t.Context())
		if want := name + " is on but must be off; ALTER DATABASE … RESET " + name; failure.Of(err) != failure.Refused || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A parameter that would change what is read is refused by name.
func TestConflictingParametersAreRefused(t *testing.T) {
	for params, want := range map[string]string{
		"statement_timeout=5s":                                         "parameter statement_timeout of dsn",
		"client_encoding=latin1&password=s3cr3t":                       "parameter client_encoding of dsn",
		"options=" + escape("-c row_security=on --date-style=SQL,DMY"): "parameter options (row_security) of dsn",
		"options=" + escape("-cdatestyle=German"):                      "parameter options (datestyle) of dsn",
		"lock_timeout=1":                                               "(lock_timeout = 30000)",
		"timezone=Europe/Berlin":                                       "(TimeZone = UTC)",
		"synchronous_commit=off&extra_float_digits=0":                  "parameter extra_float_digits",
	} {
		c := Connection{DSN: config.NewSecret("postgres://joe:s3cr3t@nowhere.invalid/moodle?" + params), LockTimeout: config.Duration(30 * time.Second)}
		_, err := c.Open(t.Context())
		if failure.Of(err) != failure.Usage || !strings.Contains(fmt.Sprint(err), want) || strings.Contains(fmt.Sprint(err), "s3cr3t") {
			t.Errorf("%s: %v, want %s", params, err, want)
		}
	}
}

// escape escapes a DSN parameter, in which + is not a space.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
