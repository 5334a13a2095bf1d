package postgres_test

import (
	"database/sql"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
	"github.com/lmsvault/vault/internal/servers"
	sink "github.com/lmsvault/vault/sinks/postgres"
	source "github.com/lmsvault/vault/sources/postgres"
)

//go:embed testdata/edges.sql
var edges string

func execute(t testing.TB, db *sql.DB, statements string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
}

// column returns the only column of a query.
func column(t testing.TB, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() {
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}()
	var all []string
	for rows.Next() {
		var s sql.NullString
		if err := rows.Scan(&s); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		all = append(all, s.String)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}

func where(dsn string) postgres.Connection { return postgres.Connection{DSN: config.NewSecret(dsn)} }

// Every type and every unusual property of a schema arrives unchanged, as the servers
// themselves report it, and what does not is listed.
func TestEdgeCasesArrive(t *testing.T) {
	a, b := servers.Postgres(t), servers.Postgres(t)
	execute(t, a.SQL, edges)
	c := carry(t, newSource(t, source.Config{Connection: where(a.DSN)}), newSink(t, sink.Config{Connection: where(b.DSN)}))

	const tables = `SELECT c.oid::regclass::text FROM pg_class c WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND NOT relispartition
		AND starts_with(relname::text, 'mdl_') AND NOT starts_with(relname::text, 'mdl_old_') ORDER BY relname COLLATE "C"`
	want := column(t, a.SQL, tables)
	if got := column(t, b.SQL, `SELECT c.oid::regclass::text FROM pg_class c WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = 'public'::regnamespace ORDER BY relname COLLATE "C"`); !slices.Equal(got, want) {
		t.Fatalf("tables:\n%q\ninstead of\n%q", got, want)
	}
	for _, table := range want {
		t.Run(table, func(t *testing.T) {
			equal(t, a.SQL, b.SQL, "rows", fmt.Sprintf(`SELECT %s FROM ONLY %s t`, rowText(t, a.SQL, table), table), partitions(table))
			equal(t, a.SQL, b.SQL, "columns", fmt.Sprintf(`SELECT concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attcollation::regcollation, col_description(attrelid, attnum),
				CASE WHEN pg_get_expr(adbin, adrelid) NOT LIKE '%%nextval(%%' THEN nullif(pg_get_expr(adbin, adrelid), 'NULL::character varying') END)
				FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
				WHERE attrelid = '%s'::regclass AND attnum > 0 AND attgenerated = ''`, table), sameType)
			equal(t, a.SQL, b.SQL, "indexes", fmt.Sprintf(`SELECT replace(pg_get_indexdef(indexrelid), ' ONLY ', ' ') FROM pg_index WHERE indrelid = '%s'::regclass AND NOT indisprimary`, table),
				func(q string) string {
					return strings.Replace(q, "NOT indisprimary", "NOT indisprimary AND indexrelid <> coalesce(to_regclass('mdl_gene_twi_ix'), 0)", 1)
				})
			equal(t, a.SQL, b.SQL, "key", fmt.Sprintf(`SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '%s'::regclass AND contype = 'p'`, table), nil)
			equal(t, a.SQL, b.SQL, "table", fmt.Sprintf(`SELECT concat_ws(' ', obj_description(oid, 'pg_class'), reloptions) FROM pg_class WHERE oid = '%s'::regclass`, table), nil)
		})
	}
	for table, next := range map[string]string{
		"mdl_types": "5001", "mdl_called": "42", "mdl_notcalled": "50", "mdl_fresh": "1", "mdl_behind": "78", "mdl_identity": "3", "mdl_foreignseq": "901",
		"mdl_shareda": "12", "mdl_sharedb": "12", "mdl_late": "7", "mdl_newname": "2",
	} {
		if got := column(t, b.SQL, `SELECT nextval(pg_get_serial_sequence($1, 'id'))`, table); got[0] != next {
			t.Errorf("%s continues with %s, want %s", table, got[0], next)
		}
	}
	if _, err := b.SQL.ExecContext(t.Context(), `INSERT INTO mdl_full (name) VALUES ('x')`); err == nil {
		t.Error("an exhausted sequence returns a value")
	}
	if next := c.proofs["full"].Schema.Sequence.Next; next != 1<<63 {
		t.Errorf("the exhausted sequence is proven to be at %d", next)
	}
	if got := column(t, b.SQL, `SELECT indexname FROM pg_indexes WHERE tablename = 'mdl_user' ORDER BY 1`); !slices.Equal(got, []string{"mdl_user_pkey", "mdl_user_use_uix"}) {
		t.Errorf("indexes of user: %q", got)
	}
	losses(t, c.inventory.Losses)
	notes(t, c.inventory.Notes)
}

// rowText returns the transferred columns as one text.
func rowText(t *testing.T, db *sql.DB, table string) string {
	names := column(t, db, `SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND attgenerated = '' ORDER BY attnum`, table)
	return "ROW(" + strings.Join(names, ", ") + ")::text"
}

// partitions adapts the original's query to read a partitioned table.
func partitions(table string) func(string) string {
	return func(q string) string {
		if table == "mdl_part" {
			return strings.Replace(q, "ONLY ", "", 1)
		}
		return q
	}
}

// sameType adapts the original's query to the names of the new types.
func sameType(q string) string {
	return strings.Replace(q, "format_type(atttypid, atttypmod)", `replace(replace(format_type(atttypid, atttypmod), 'plainmood', 'mdl_plainmood'), 'shortname', 'character varying(20)')`, 1)
}

// equal compares the results of a query on two servers, ignoring order; before adapts
// the query for the first.
func equal(t *testing.T, a, b *sql.DB, what, query string, before func(string) string) {
	t.Helper()
	first := query
	if before != nil {
		first = before(query)
	}
	want, got := column(t, a, first), column(t, b, query)
	slices.Sort(want)
	slices.Sort(got)
	for i := range max(len(want), len(got)) {
		w, g := "nothing", "nothing"
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if w != g {
			t.Errorf("%s:\n%.300s\ninstead of\n%.300s", what, g, w)
			return
		}
	}
}

func losses(t *testing.T, got []stage.Loss) {
	t.Helper()
	var lines []string
	for _, l := range got {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", l.Kind, l.Path, l.Where)))
	}
	want := []string{
		"column db/generated column twice", "constraint db/child", "constraint db/generated constraint mdl_generated_id_check",
		"constraint db/generated constraint mdl_generated_up_fkey", "constraint db/types column dm", "default db/computed column id", "index db/generated index mdl_gene_twi_ix",
		"routine db mdl_func()", "table db/lonely", "trigger db/nopk rule mdl_rule", "trigger db/user trigger mdl_trigger", "view db/matview", "view db/view",
	}
	slices.Sort(lines)
	if !slices.Equal(lines, want) {
		t.Errorf("losses:\n%s\ninstead of\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

func notes(t *testing.T, got []stage.Note) {
	t.Helper()
	for _, want := range []string{
		`skipped 4 tables of schema public that do not begin with prefix "mdl_"`, `skipped 4 tables with prefix "mdl_old_" that belong to another site`, "a partition; its rows are read with mdl_part",
		"a partitioned table becomes", "an unlogged table", "identity column id", `is shared with shareda`,
	} {
		if !slices.ContainsFunc(got, func(n stage.Note) bool { return strings.Contains(n.Text, want) }) {
			t.Errorf("no note says %q: %+v", want, got)
		}
	}
}
