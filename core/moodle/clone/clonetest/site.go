package clonetest

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// numbers are columns that hold numbers.
var numbers = []string{"enabled", "state", "status", "category", "timecreated"}

// Create creates the tables in a database, with the rows as they are before. id is how it
// declares an ID: BIGINT AUTO_INCREMENT PRIMARY KEY.
func Create(t testing.TB, db *sql.DB, id string, quote func(name string) string) {
	t.Helper()
	columns := map[string]map[string]bool{}
	for _, r := range Rows() {
		if columns[r.Table] == nil {
			columns[r.Table] = map[string]bool{}
		}
		for c := range r.Before {
			columns[r.Table][c] = true
		}
	}
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	for _, table := range slices.Sorted(maps.Keys(columns)) {
		list := []string{"id " + id}
		for _, c := range slices.Sorted(maps.Keys(columns[table])) {
			kind := "TEXT"
			switch {
			case slices.Contains(numbers, c):
				kind = "BIGINT"
			case c != "value" && c != "oldvalue" && c != "config":
				kind = "VARCHAR(250)"
			}
			list = append(list, quote(c)+" "+kind)
		}
		exec("CREATE TABLE " + quote("mdl_"+table) + " (" + strings.Join(list, ", ") + ")")
	}
	for _, r := range Rows() {
		if r.Before == nil {
			continue
		}
		var names, values []string
		for _, c := range slices.Sorted(maps.Keys(r.Before)) {
			names, values = append(names, quote(c)), append(values, "'"+r.Before[c]+"'")
		}
		exec("INSERT INTO " + quote("mdl_"+r.Table) + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")")
	}
}

// Check reports rows that are not as they must be when all measures were taken but those
// in off.
func Check(t testing.TB, db *sql.DB, quote func(name string) string, off ...string) {
	t.Helper()
	want := map[string][]string{}
	for _, r := range Rows() {
		if _, known := want[r.Table]; !known {
			want[r.Table] = nil
		}
		to := maps.Clone(r.After)
		if slices.Contains(off, r.Measure) {
			to = v{}
			if r.Before == nil {
				continue
			}
		}
		if to == nil {
			continue
		}
		for c, text := range r.Before {
			if _, given := to[c]; !given {
				to[c] = text
			}
		}
		want[r.Table] = append(want[r.Table], describe(to))
	}
	for table, rows := range want {
		got := read(t, db, quote("mdl_"+table))
		slices.Sort(rows)
		slices.Sort(got)
		if !slices.Equal(got, rows) {
			t.Errorf("without %v, table %s has\n%s\nwant\n%s", off, table, strings.Join(got, "\n"), strings.Join(rows, "\n"))
		}
	}
}

func read(t testing.TB, db *sql.DB, table string) []string {
	t.Helper()
	rows, err := db.QueryContext(context.WithoutCancel(t.Context()), "SELECT * FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for rows.Next() {
		values, to := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		row := v{}
		for i, c := range columns {
			if values[i].Valid && c != "id" {
				row[c] = known(values[i].String)
			}
		}
		if row["plugin"] != "vault" {
			all = append(all, describe(row))
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// known replaces a hash of the password and the banner.
func known(text string) string {
	if strings.HasPrefix(text, "$2y$") && bcrypt.CompareHashAndPassword([]byte(text), []byte(Password)) == nil {
		return Hash
	}
	const begin, end = "<!-- Vault: copy of a site -->", "<!-- /Vault -->"
	if rest, ok := strings.CutPrefix(text, begin); ok {
		if banner, after, ok := strings.Cut(rest, end); ok && strings.Contains(banner, "A &lt;copy&gt;") {
			return Banner + after
		}
	}
	return text
}

func describe(row v) string {
	var parts []string
	for _, c := range slices.Sorted(maps.Keys(row)) {
		parts = append(parts, fmt.Sprintf("%s=%s", c, row[c]))
	}
	return strings.Join(parts, " ")
}
