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

// setting is one of the server's settings that change what is read or written.
// Its value is written as pg_settings has it: times in its unit, without one.
type setting struct {
	name, value string
	// fixed: only a superuser can set it, so it is only looked at.
	fixed bool
}

// settings lists every setting that Vault relies on. Each is set in every
// session, whatever server, database, role or DSN say, and read back; versions
// that don't have one do without. default_transaction_read_only is not here: who
// sets it for a target means it.
func settings(site Site, lockTimeout time.Duration, application string) []setting {
	return []setting{
		// How values and definitions are written. The search path is the site's
		// schema alone, so definitions that the server writes are relative to it.
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
		// Rows that are withheld: without row_security, a policy that hides some is
		// an error.
		{name: "row_security", value: "off"},
		{name: "gin_fuzzy_search_limit", value: "0"},
		{name: "zero_damaged_pages", value: "off", fixed: true},
		{name: "ignore_checksum_failure", value: "off", fixed: true},
		// Transactions.
		{name: "default_transaction_isolation", value: "read committed"},
		{name: "default_transaction_deferrable", value: "off"},
		{name: "synchronous_commit", value: "on"},
		// Nothing times out but the wait for a lock.
		{name: "statement_timeout", value: "0"},
		{name: "lock_timeout", value: strconv.FormatInt(lockTimeout.Milliseconds(), 10)},
		{name: "transaction_timeout", value: "0"},
		{name: "idle_in_transaction_session_timeout", value: "0"},
		{name: "idle_session_timeout", value: "0"},
		// The order of rows, and one processor for each reader.
		{name: "synchronize_seqscans", value: "off"},
		{name: "max_parallel_workers_per_gather", value: "0"},
		{name: "jit", value: "off"},
		// What the server's log and pg_stat_activity say.
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
			faults = append(faults, fmt.Errorf("%s is %s and must be %s: ALTER DATABASE … RESET %[1]s, or set it for the server", s.name, f.Value, s.value))
		default:
			faults = append(faults, fmt.Errorf("%s was set to %s and is %s: connect to the server itself if a pooler stands between, or set it for the user", s.name, s.value, f.Value))
		}
	}
	if faults != nil {
		return failure.New(failure.Refused, "%s: the session's settings are not those that Vault needs: %w", c.Address, errors.Join(faults...))
	}
	return nil
}

// contradictions refuses the parameters of a DSN that would change what is read
// or written. Their values are not shown. search_path is not one of them: it
// chooses the schema. Those of the environment (PGTZ) are meant for all programs,
// and overridden.
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
		faults = append(faults, fmt.Errorf("parameter %s of dsn contradicts what Vault needs (%s = %s): remove it", param, want[at].name, want[at].value))
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

// same tells whether two values of a setting are the same for sure.
func same(want, got string) bool {
	plain := func(s string) string { return strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(s)) }
	return plain(want) == plain(got) || want == "on" && plain(got) == "true" || want == "off" && plain(got) == "false"
}

// commandLine takes the server's options of a DSN apart: -c name=value and --name=value.
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
