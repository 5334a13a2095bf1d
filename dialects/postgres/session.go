package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lmsvault/vault/core/failure"
)

// setting is a server setting that affects what is read or written. Its value has the
// format of pg_settings: times in the setting's unit, without naming it.
type setting struct {
	name, value string
	// fixed is set if only a superuser can change the setting, so it is only checked.
	fixed bool
}

// settings lists the settings that Vault relies on. Each is set in every session,
// overriding server, database, role and DSN, and read back; versions without it skip
// it. default_transaction_read_only is not listed: an administrator who sets it does
// so on purpose.
func settings(site Site, lockTimeout time.Duration, application string) []setting {
	return []setting{
		// Encoding of values and definitions. The search path is the site's schema
		// alone, so that definitions from the server are relative to it.
		{name: "client_encoding", value: "UTF8"},
		{name: "TimeZone", value: "UTC"},
		{name: "DateStyle", value: "ISO, YMD"},
		{name: "IntervalStyle", value: "postgres"},
		{name: "extra_float_digits", value: "3"},
		{name: "bytea_output", value: "hex"},
		{name: "xmloption", value: "content"},
		{name: "xmlbinary", value: "base64"},
		{name: "lc_monetary", value: "C"},
		{name: "array_nulls", value: "on"},
		{name: "standard_conforming_strings", value: "on"},
		{name: "escape_string_warning", value: "off"},
		{name: "transform_null_equals", value: "off"},
		{name: "quote_all_identifiers", value: "off"},
		{name: "search_path", value: Ident(site.Schema)},
		// Withheld rows: without row_security, a policy that hides rows is an error.
		{name: "row_security", value: "off"},
		{name: "gin_fuzzy_search_limit", value: "0"},
		{name: "zero_damaged_pages", value: "off", fixed: true},
		{name: "ignore_checksum_failure", value: "off", fixed: true},
		// Transactions.
		{name: "default_transaction_isolation", value: "read committed"},
		{name: "default_transaction_deferrable", value: "off"},
		{name: "synchronous_commit", value: "on"},
		// Nothing but waiting for a lock times out.
		{name: "statement_timeout", value: "0"},
		{name: "lock_timeout", value: strconv.FormatInt(lockTimeout.Milliseconds(), 10)},
		{name: "transaction_timeout", value: "0"},
		{name: "idle_in_transaction_session_timeout", value: "0"},
		{name: "idle_session_timeout", value: "0"},
		// The order of rows, and one process per reader.
		{name: "synchronize_seqscans", value: "off"},
		{name: "max_parallel_workers_per_gather", value: "0"},
		{name: "jit", value: "off"},
		// The server's log and pg_stat_activity.
		{name: "client_min_messages", value: "warning"},
		{name: "application_name", value: application},
	}
}

// settle makes the session independent of all defaults.
func (c *Conn) settle(ctx context.Context, want []setting) error {
	var names, values, all []string
	for _, s := range want {
		all = append(all, s.name)
		if !s.fixed {
			names, values = append(names, s.name), append(values, s.value)
		}
	}
	_, err := c.Exec(ctx, `SELECT set_config(name, v.value, false) FROM unnest($1::text[], $2::text[]) AS v (name, value) JOIN pg_settings USING (name)`, names, values)
	if err != nil {
		return fmt.Errorf("%s: setting up the session: %w", c.Address, err)
	}
	found, err := query[struct{ Name, Value string }](ctx, c, `SELECT name, coalesce(setting, '') FROM pg_settings WHERE name = ANY ($1::text[])`, all)
	if err != nil {
		return fmt.Errorf("%s: reading the session's settings back: %w", c.Address, err)
	}
	var faults []error
	for _, f := range found {
		s := want[slices.IndexFunc(want, func(s setting) bool { return s.name == f.Name })]
		switch {
		case f.Value == s.value:
		case s.fixed:
			faults = append(faults, fmt.Errorf("%s is %s but must be %s; ALTER DATABASE … RESET %[1]s, or set it for the server", s.name, f.Value, s.value))
		default:
			faults = append(faults, fmt.Errorf("%s was set to %s but is %s; connect to the server directly instead of through a pooler, or set it for the user", s.name, s.value, f.Value))
		}
	}
	if faults != nil {
		return failure.New(failure.Refused, "%s: unsuitable session settings: %w", c.Address, errors.Join(faults...))
	}
	return nil
}

// contradictions returns an error for DSN parameters that would change what is read
// or written. It does not show their values. search_path is allowed because it
// chooses the schema. Environment variables (PGTZ) apply to all programs and are
// overridden.
func contradictions(params map[string]string, want []setting) error {
	environment := map[string]string{}
	if c, err := pgconn.ParseConfig(""); err == nil {
		environment = c.RuntimeParams
	}
	var faults []error
	check := func(param, name, value string) {
		at := slices.IndexFunc(want, func(s setting) bool { return strings.EqualFold(s.name, name) })
		if at < 0 || want[at].name == "search_path" || same(want[at].value, value) {
			return
		}
		faults = append(faults, fmt.Errorf("parameter %s of dsn conflicts with what Vault needs (%s = %s); remove it", param, want[at].name, want[at].value))
	}
	for name, value := range params {
		if environment[name] == value {
			continue
		}
		if name != "options" {
			check(name, name, value)
			continue
		}
		for name, value := range commandLine(value) {
			check("options ("+name+")", name, value)
		}
	}
	if faults == nil {
		return nil
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return failure.New(failure.Usage, "%w", errors.Join(faults...))
}

// same reports whether two values of a setting are certainly equal.
func same(want, got string) bool {
	plain := func(s string) string { return strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(s)) }
	return plain(want) == plain(got) || want == "on" && plain(got) == "true" || want == "off" && plain(got) == "false"
}

// commandLine parses the server options in a DSN: -c name=value and --name=value.
func commandLine(line string) map[string]string {
	all := map[string]string{}
	for word := range strings.FieldsSeq(line) {
		word = strings.TrimPrefix(strings.TrimPrefix(word, "-c"), "--")
		if name, value, ok := strings.Cut(word, "="); ok {
			all[strings.ReplaceAll(name, "-", "_")] = value
		}
	}
	return all
}
