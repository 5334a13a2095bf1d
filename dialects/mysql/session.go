package mysql

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
)

// variable is a session variable that affects what is read or written.
type variable struct {
	name, value string // value in SQL syntax
	some        bool   // not every supported server has it
	own         bool   // the DSN may override it
}

// sqlMode is strict, so that nothing is changed silently, but allows zero and invalid
// dates, which old sites have. It excludes ANSI_QUOTES and NO_BACKSLASH_ESCAPES,
// because Literal relies on backslashes, and PAD_CHAR_TO_FULL_LENGTH, which adds
// spaces to values.
const sqlMode = "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION"

// session lists the variables that Vault relies on. Each is set on every connection,
// overriding server, user, init_connect and DSN, and read back. Variables that need a
// privilege a site's user lacks are not listed: see ownKeys.
var session = []variable{
	// Withheld rows, and limits on what a statement may read.
	{name: "sql_select_limit", value: "18446744073709551615"},
	{name: "sql_big_selects", value: "1"},
	{name: "sql_safe_updates", value: "0"},
	{name: "sql_auto_is_null", value: "0"},
	{name: "system_versioning_asof", value: "DEFAULT", some: true},
	{name: "use_secondary_engine", value: "OFF", some: true},
	// Encoding of values and definitions.
	{name: "character_set_client", value: "'utf8mb4'"},
	{name: "character_set_connection", value: "'utf8mb4'"},
	{name: "character_set_results", value: "'utf8mb4'"},
	{name: "sql_mode", value: "'" + sqlMode + "'"},
	{name: "old_mode", value: "'UTF8_IS_UTF8MB3'", some: true},
	{name: "time_zone", value: "'+00:00'"},
	{name: "sql_quote_show_create", value: "1"},
	{name: "information_schema_stats_expiry", value: "0", some: true},
	{name: "show_gipk_in_create_table_and_information_schema", value: "1", some: true},
	// What the server accepts, and whether it warns about changes.
	{name: "sql_notes", value: "1"},
	{name: "foreign_key_checks", value: "0"},
	{name: "unique_checks", value: "1"},
	{name: "check_constraint_checks", value: "1", some: true},
	{name: "sql_if_exists", value: "0", some: true},
	{name: "default_storage_engine", value: "InnoDB"},
	// Transactions.
	{name: "autocommit", value: "1"},
	{name: "completion_type", value: "NO_CHAIN"},
	{name: "transaction_isolation", value: "'REPEATABLE-READ'", some: true},
	{name: "transaction_read_only", value: "0", some: true},
	{name: "tx_isolation", value: "'REPEATABLE-READ'", some: true},
	{name: "tx_read_only", value: "0", some: true},
	// How long the server waits for a slow reader or writer.
	{name: "net_read_timeout", value: "86400"},
	{name: "net_write_timeout", value: "86400"},
	{name: "wait_timeout", value: "2147483"}, // 24 days, the maximum on every platform
	{name: "lock_wait_timeout", value: "60", own: true},
	{name: "max_statement_time", value: "0", some: true},
	{name: "max_execution_time", value: "0", some: true},
	{name: "idle_transaction_timeout", value: "0", some: true},
	{name: "idle_readonly_transaction_timeout", value: "0", some: true},
	{name: "idle_write_transaction_timeout", value: "0", some: true},
}

// ownKeys is the variable that adds an invisible primary key to tables without one.
// Vault turns it off if the user may.
var ownKeys = variable{name: "sql_generate_invisible_primary_key", value: "0", some: true}

// plain returns the value without SQL quotes.
func (v variable) plain() string { return strings.Trim(v.value, "'") }

// is reports whether value means the same as v.value: numbers may be spelled
// differently, booleans be ON and OFF, and modes come in any order.
func (v variable) is(value string) bool {
	want, got := v.plain(), strings.Trim(strings.TrimSpace(value), `'"`)
	if strings.EqualFold(want, got) || switched[strings.ToUpper(got)] == want {
		return true
	}
	a, errA := strconv.ParseFloat(want, 64)
	b, errB := strconv.ParseFloat(got, 64)
	if errA == nil && errB == nil {
		return a == b
	}
	words := func(s string) []string { return slices.Sorted(slices.Values(strings.Split(strings.ToUpper(s), ","))) }
	return strings.Contains(want, ",") && slices.Equal(words(want), words(got))
}

var switched = map[string]string{"ON": "1", "TRUE": "1", "OFF": "0", "FALSE": "0"}

// settled is a connector that sets the given session variables.
type settled struct {
	driver.Connector
	want []variable
}

// Connect opens a connection, sets its variables and reads them back.
func (s settled) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := settle(ctx, conn, s.want); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func settle(ctx context.Context, conn driver.Conn, want []variable) error {
	sets, gets := make([]string, len(want)), make([]string, len(want))
	for k, v := range want {
		sets[k], gets[k] = v.name+" = "+v.value, "@@SESSION."+v.name
	}
	execer, ok := conn.(driver.ExecerContext)
	queryer, able := conn.(driver.QueryerContext)
	if !ok || !able {
		return fmt.Errorf("the driver's connection %T cannot set session variables", conn)
	}
	if _, err := execer.ExecContext(ctx, "SET "+strings.Join(sets, ", "), nil); err != nil {
		return fmt.Errorf("setting the session variables: %w", err)
	}
	found, err := queryer.QueryContext(ctx, "SELECT "+strings.Join(gets, ", "), nil)
	if err != nil {
		return fmt.Errorf("reading the session variables back: %w", err)
	}
	values := make([]driver.Value, len(want))
	if err := errors.Join(found.Next(values), found.Close()); err != nil {
		return fmt.Errorf("reading the session variables back: %w", err)
	}
	var faults []error
	for k, v := range want {
		text := fmt.Sprint(values[k])
		if raw, ok := values[k].([]byte); ok {
			text = string(raw)
		}
		if !v.is(text) {
			faults = append(faults, fmt.Errorf("session variable %s was set to %s but is %s", v.name, v.plain(), text))
		}
	}
	if faults == nil {
		return nil
	}
	return failure.New(failure.Refused, "%w; if a proxy changes it, connect to the server directly, or set it for the user or the server", errors.Join(faults...))
}

// sessionOf returns the variables of a connection with the given DSN parameters.
func sessionOf(params map[string]string, known func(variable) bool) []variable {
	var want []variable
	for _, v := range session {
		if !known(v) {
			continue
		}
		if own, ok := params[v.name]; ok && v.own {
			v.value = own
		}
		want = append(want, v)
	}
	return want
}

// contradictions returns an error for DSN parameters that would change what is read
// or written. It does not show their values.
func contradictions(dsn string) error {
	_, params, _ := strings.Cut(dsn[strings.LastIndexByte(dsn, '/')+1:], "?")
	var faults []error
	for param := range strings.SplitSeq(params, "&") {
		name, value, _ := strings.Cut(param, "=")
		value, err := url.QueryUnescape(value)
		if err != nil {
			continue // the driver reports it
		}
		if want := wantedOf(name, value); want != "" {
			faults = append(faults, config.At("dsn", "parameter %s of dsn conflicts with what Vault needs (%s); remove it", name, want))
		}
	}
	return errors.Join(faults...)
}

// wantedOf returns what a DSN parameter conflicts with, or "".
func wantedOf(param, value string) string {
	name := strings.ToLower(strings.TrimSpace(param))
	if name == "charset" || name == "collation" || name == "collation_connection" {
		first, _, _ := strings.Cut(strings.ToLower(strings.Trim(value, `'"`)), "_")
		if first, _, _ = strings.Cut(first, ","); first != "utf8mb4" {
			return "utf8mb4"
		}
		return ""
	}
	for _, scope := range []string{"@@", "session.", "local.", "session ", "local "} {
		name = strings.TrimPrefix(name, scope)
	}
	at := slices.IndexFunc(session, func(v variable) bool { return v.name == name })
	if at < 0 || session[at].own || session[at].is(value) {
		return ""
	}
	return name + " = " + cmp.Or(session[at].plain(), "''")
}
