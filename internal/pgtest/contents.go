// Package pgtest reads the complete contents of a PostgreSQL schema, for tests.
package pgtest

import (
	"database/sql"
	"regexp"
	"testing"
)

var scratch = regexp.MustCompile(`vault_(new|old)_[0-9a-f]{8}_`)

// Contents describes everything in the schema public: relations, columns, indexes,
// constraints, types, values of sequences, and every row. Objects that restores
// created beside sites or renamed are returned in beside.
func Contents(t testing.TB, db *sql.DB) (contents, beside []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `
		WITH here AS (SELECT * FROM pg_class WHERE relnamespace = 'public'::regnamespace)
		SELECT concat_ws(' ', relkind, relname) FROM here WHERE relkind <> 'c'
		UNION ALL SELECT concat_ws(' ', attrelid::regclass, attnum, attname, format_type(atttypid, atttypmod), attnotnull, attcollation::regcollation, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum))
			FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
			WHERE attrelid IN (SELECT oid FROM here WHERE relkind IN ('r', 'p', 'v', 'm')) AND attnum > 0
		UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indexrelid IN (SELECT oid FROM here)
		UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
		UNION ALL SELECT concat_ws(' ', 'type', typname, typtype, (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)) FROM pg_type t WHERE typnamespace = 'public'::regnamespace
		UNION ALL SELECT concat_ws(' ', 'owned', objid::regclass, refobjid::regclass, refobjsubid) FROM pg_depend
			WHERE classid = 'pg_class'::regclass AND deptype = 'a' AND objid IN (SELECT oid FROM here WHERE relkind = 'S')
		UNION ALL SELECT relname || ' holds ' || query_to_xml(format(CASE relkind WHEN 'S' THEN 'SELECT last_value, is_called FROM public.%I' ELSE 'SELECT * FROM public.%I t ORDER BY t::text' END, relname), true, true, '')::text FROM here
			WHERE relkind IN ('r', 'S', 'v', 'm')
		ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		if scratch.MatchString(text) {
			beside = append(beside, text)
		} else {
			contents = append(contents, text)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return contents, beside
}
