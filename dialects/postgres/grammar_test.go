package postgres

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/internal/sqlshape"
)

// one returns a table in which every text that ends up in SQL is set.
func one(name, column, native, value, options, collation, index, indexText, method, comment string, expr bool) schema.Table {
	t := schema.Table{Name: name, Dialect: Dialect, Options: options, Comment: comment, PrimaryKey: []string{column}, PrimaryKeyName: index}
	t.Columns = []schema.Column{
		{Name: column, Type: schema.Type{Kind: schema.Other}, Native: native, Collation: collation, Comment: comment, Default: &schema.Default{Value: value, Expr: expr}},
		{Name: "n", Type: schema.Type{Kind: schema.Int, Size: 8}, Native: "bigint", Default: &schema.Default{Value: value}},
		{Name: "e", Type: schema.Type{Kind: schema.Enum, Values: []string{value, comment}}, Native: native},
	}
	t.Indexes = []schema.Index{
		{Name: index, Native: indexText}, {Name: index, Method: method, Columns: []schema.IndexColumn{{Name: column}}},
		{Name: index, Options: options, Columns: []schema.IndexColumn{{Name: column, TextSearch: value, Operators: method}}},
	}
	t.Sequence = &schema.Sequence{Column: "n", Next: 5}
	if options+comment != "" {
		t.PrimaryKeyIndex = &schema.KeyIndex{Include: []string{"n"}, Timing: "DEFERRABLE", Options: options, Comment: comment}
	}
	return t
}

// spelled adds columns whose defaults have this spelling and the value that it would
// have: what a forger must write for it to be accepted.
func spelled(t schema.Table, spelling string) schema.Table {
	for i, of := range []schema.Type{{Kind: schema.Text}, {Kind: schema.Int, Size: 8}, {Kind: schema.Decimal, Length: 10, Scale: 5}, {Kind: schema.Bit, Length: 3}, {Kind: schema.Binary}, {Kind: schema.Bool}} {
		d := meaning(spelling, of)
		if d == nil {
			d = &schema.Default{Value: spelling}
		}
		d.Native = spelling
		t.Columns = append(t.Columns, schema.Column{Name: "s" + strconv.Itoa(i), Type: of, Native: "text", Default: d})
	}
	for i := range t.Indexes {
		t.Indexes[i].Comment = spelling
	}
	return t
}

// judge writes a table, if it is allowed, and checks each statement.
func judge(t *testing.T, table schema.Table) {
	t.Helper()
	site := Site{"public", "mdl_"}
	b := Builder{Names: site.Names(), Origin: Dialect, Prefix: "mdl_"}
	b.Name([]schema.Table{table})
	build, err := b.Table(table)
	if err != nil {
		return
	}
	check := func(sql string, begin ...string) {
		t.Helper()
		at := slices.IndexFunc(begin, func(s string) bool { return strings.HasPrefix(sql, s) })
		if at < 0 {
			t.Errorf("%q begins with none of %q", sql, begin)
			return
		}
		if begin[at] == "SELECT setval(" {
			return
		}
		text := strings.ReplaceAll(strings.ReplaceAll(sql, "DEFAULT nextval(", "DEFAULT ("), "ALTER SEQUENCE ", "SEQUENCE ")
		text = strings.ReplaceAll(strings.Replace(text, "CREATE TYPE", "TYPE", 1), " AS ENUM ", " ENUM ")
		text = strings.TrimPrefix(text, "ALTER TABLE ")
		text = strings.ReplaceAll(text, "::", `::""`) // what follows is a type, no call
		if _, err := sqlshape.Postgres.One(text, ""); err != nil {
			t.Errorf("%v in %s", err, sql)
		}
	}
	for _, sql := range b.Types() {
		check(sql, "CREATE TYPE ")
	}
	for _, sql := range build.Create {
		check(sql, "CREATE TABLE ", "CREATE SEQUENCE ", "ALTER SEQUENCE ", "COMMENT ON ")
	}
	for _, x := range build.Indexes {
		check(x.SQL, "CREATE INDEX ", "CREATE UNIQUE INDEX ")
		for _, sql := range x.Then {
			check(sql, "ALTER TABLE ", "COMMENT ON INDEX ")
		}
	}
	for _, sql := range build.Complete {
		check(sql, "SELECT setval(", "ANALYZE ")
	}
}

func FuzzDDL(f *testing.F) {
	f.Add("t", "c", "bigint", "0", "", "", "i", "USING btree (lower(c))", "gin", "note", "(-1)", false)
	f.Add("t", "c", "character varying(20)", "now()", "WITH (fillfactor='70')", `"C"`, "i", "USING gin (to_tsvector('simple'::regconfig, c)) WHERE (n > 0)", "", "it's", "'1'::numeric", true)
	for _, evil := range hostile {
		for _, spelling := range []string{"'" + evil, "'" + evil + "'", `'x\' ` + evil + " '", "1::" + evil, "'a'::" + evil, "(1)::int4 " + evil, "E'" + evil + "'"} {
			f.Add("t", "c", "bigint", "0", "", "", "i", "USING btree (c)", "", "", spelling, false)
		}
		f.Add("t", "c", evil, "0", "", "", "i", "USING btree (c)", "", "", "(-1)", false)
		f.Add("t", "c", "bigint", evil, "", "", "i", "USING btree (c)", "", "", "'1'::numeric", true)
		f.Add("t", "c", "bigint", evil, "", "", "i", "USING btree (c)", "", "", "(-1)", false)
		f.Add("t", "c", "bigint", "0", evil, "", "i", "USING btree (c)", "", "", "(-1)", false)
		f.Add("t", "c", "bigint", "0", "", evil, "i", "USING btree (c)", "", "", "(-1)", false)
		f.Add(evil, evil, "bigint", "0", "", "", evil, evil, evil, evil, evil, false)
		f.Add("t", "c", "bigint", "0", "", "", "i", "USING btree ("+evil+")", "", "", "(-1)", false)
		f.Add("t", "c", "bigint", "0", "", "", "i", "USING btree (c) WHERE "+evil, "", "", "(-1)", false)
	}
	f.Fuzz(func(t *testing.T, name, column, native, value, options, collation, index, indexText, method, comment, spelling string, expr bool) {
		judge(t, spelled(one(name, column, native, value, options, collation, index, indexText, method, comment, expr), spelling))
	})
}

// hostile lists texts that end their clause and continue with something else.
var hostile = []string{
	"int); COPY (SELECT 1) TO PROGRAM 'touch /tmp/x'; --",
	"0); DROP TABLE canary; --", "0'; DROP TABLE canary; --", `0"; DROP TABLE canary; --`, "0 /* */", "0 -- x", "0; SELECT 1",
	"pg_read_file('/etc/passwd')", "(SELECT passwd FROM pg_shadow LIMIT 1)", "(TABLE pg_shadow)", "lower((SELECT 'x'))", "evil.lower('x')", "lo_import('/etc/passwd')",
	"dblink('host=x', 'SELECT 1')", "query_to_xml('SELECT 1', true, true, '')", "nextval('x')", "set_config('role', 'postgres', false)", "pg_sleep(1000)", "repeat('x', 1000000000)",
	"1::int4; DROP TABLE canary", "1::x.y\"", "E'\\'; DROP TABLE canary; --'", "'a\\'; DROP TABLE canary; --", "$$x$$", "$1", "U&'\\0027'", "'x'::text COLLATE \"C\" NOT NULL REFERENCES canary",
	"integer NOT NULL DEFAULT pg_sleep(9)", "int4 GENERATED ALWAYS AS IDENTITY", "int, evil int", "int) INHERITS (canary", "canary%TYPE", "int[](", `"C" NOT NULL`,
	"WITH (fillfactor='70') AS SELECT 1", "WITH (fillfactor='70'); DROP TABLE canary", "AS SELECT pg_read_file('/etc/passwd') AS c",
	"USING btree (c); DROP TABLE canary", "USING btree (c) WHERE (SELECT true)", "USING btree ((SELECT 1))", "USING btree (c) TABLESPACE x; SELECT 1",
	"c) WHERE pg_sleep(1) IS NULL", "btree (c); --", "a\x00b", "a\nb", "a\u2028b", "a\xffb", strings.Repeat("é", 5000), `\`, `'`, `"`, `'"`, "`", "''", `""`, strings.Repeat("(", 500),
}

// What servers write and the type map makes passes.
func TestTypesDefaultsAndIndexesOfServersAreAllowed(t *testing.T) {
	for _, native := range []string{
		"bigint", "BIGINT", "double precision", "character varying(255)", "character(10)", "bit varying(5)", "bit(8)", "numeric(38,18)", "numeric(3,-2)", "timestamp without time zone",
		"timestamp(3) with time zone", "TIMESTAMPTZ(0)", "time(3) without time zone", "interval", "interval(3)", "interval year to month", "interval day to second(3)", "integer[]", "text[][]", "uuid", "inet",
		`"char"`, "public.mdl_mood", `"mdl_Mood's"`, `public."mdl_Mood"[]`, "vector(3)", "geometry(Point,4326)", "tsvector", "jsonb", "NUMERIC(20,0)", "VARCHAR(17)", "CHAR(36)", "BYTEA",
	} {
		if err := refuseNative(native); err != nil {
			t.Errorf("type %s: %v", native, err)
		}
	}
	for _, text := range []string{
		"CURRENT_TIMESTAMP", "CURRENT_DATE", "LOCALTIMESTAMP(3)", "upper('x'::text)", "gen_random_uuid()", "(now() AT TIME ZONE 'UTC'::text)", "timezone('UTC'::text, now())", "(1 + 1)", "1 + 1",
		"('a'::text || 'b'::text)", "'{}'::jsonb", "ARRAY[1, 2]", "ARRAY[]::integer[]", "(now() + '1 day'::interval)", "date_part('epoch'::text, now())", "(EXTRACT(epoch FROM now()))::bigint",
		"md5((random())::text)", "CASE WHEN true THEN 1 ELSE 2 END", "COALESCE(NULL::integer, 1)", "make_interval(days => 1)", "uuid_generate_v4()", "'a'::\"mdl_Mood's\"", "'-1'::integer",
		"to_char(now(), 'YYYY'::text)", "CURRENT_USER", "ROW(1, 2)", "(ARRAY['a'::text])[1]", "SUBSTRING('abc'::text FROM 1 FOR 2)", "TRIM(BOTH FROM ' x '::text)",
	} {
		if err := refuseDefault(&schema.Default{Value: text, Expr: true}); err != nil {
			t.Errorf("default %s: %v", text, err)
		}
	}
	table := one("t", "email", "text", "", "", "", "i", "", "", "", false)
	table.Columns = append(table.Columns, schema.Column{Name: "deleted"}, schema.Column{Name: "Odd name"})
	for _, text := range []string{
		"USING btree (lower((email)::text)) WHERE (deleted = 0)", "USING gin (to_tsvector('simple'::regconfig, email))", "USING btree (email varchar_pattern_ops)", `USING btree ("Odd name" DESC NULLS LAST)`,
		`USING btree (email COLLATE "C" text_pattern_ops DESC NULLS FIRST) INCLUDE (deleted) NULLS NOT DISTINCT WITH (fillfactor='70', deduplicate_items=off)`, "USING gist (email gist_trgm_ops (siglen='32'))",
		"USING gin (email public.gin_trgm_ops)", "USING hash (email)", "USING brin (n) WITH (pages_per_range='32')", "USING btree (((email || '@'::text) || (n)::text), n) WHERE ((n IS NOT NULL) AND (email ~~ 'a%'::text))",
		"USING btree (n) WHERE ((email = ANY (ARRAY['a'::text, 'b'::text])) AND (NOT (n IS DISTINCT FROM 3)))", "USING btree (COALESCE(n, (0)::bigint))", "USING btree (((email)::jsonb ->> 'a'::text))", "USING btree (date_trunc('day'::text, email))",
	} {
		if err := refuseIndex(&table, &schema.Index{Name: "i", Native: text}); err != nil {
			t.Errorf("index %s: %v", text, err)
		}
	}
}

// What ends its place, or calls what isn't listed, does not.
func TestHostileTextIsRefused(t *testing.T) {
	table := one("t", "c", "text", "", "", "", "i", "", "", "", false)
	for _, evil := range hostile {
		if refuseNative(evil) == nil && !strings.HasPrefix(evil, "pg_sleep") && !strings.HasPrefix(evil, "éé") { // names of types that nobody has
			t.Errorf("type %.60q passes", evil)
		}
		if refuseDefault(&schema.Default{Value: evil, Expr: true}) == nil && evil != "''" {
			t.Errorf("default %.60q passes", evil)
		}
		if refuseIndex(&table, &schema.Index{Name: "i", Native: evil}) == nil {
			t.Errorf("index %.60q passes", evil)
		}
		if refuseOptions(evil) == nil {
			t.Errorf("options %.60q pass", evil)
		}
	}
}
