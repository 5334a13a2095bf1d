package e2e

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// These tables are typical of manual work; each has a property that a copy easily
// changes.
var letterMySQL = []string{
	`CREATE TABLE mdl_numbers (id bigint(10) NOT NULL AUTO_INCREMENT, a decimal(10,5) DEFAULT 0.00000, b decimal(12,7) NOT NULL DEFAULT 1, c double DEFAULT 1.0, d float NOT NULL DEFAULT 0.1,
		e int(5) unsigned zerofill DEFAULT 7, f double DEFAULT 1e-7, g bit(4) DEFAULT b'101', h tinyint(1) DEFAULT -1, i double(20,8) DEFAULT 2.5, j decimal(38,19) DEFAULT 1.00000000000000000000, PRIMARY KEY (id))`,
	"CREATE TABLE mdl_texts (id int NOT NULL PRIMARY KEY, a varchar(20) NOT NULL DEFAULT '', b varchar(20) DEFAULT 'it''s', c char(3) DEFAULT 'x', d enum('a','b''c') DEFAULT 'b''c', e set('x','y') NOT NULL DEFAULT 'x,y',\n" +
		"f varchar(20) CHARACTER SET latin1 DEFAULT 'ö', g varbinary(4) DEFAULT 0xFF00, h varchar(9) COLLATE utf8mb4_bin DEFAULT '0', `quo``ted` int DEFAULT 1 COMMENT 'it''s', i blob DEFAULT ('b'), j mediumblob DEFAULT (x'00ff27')) COMMENT='a ''comment'''",
	`CREATE TABLE mdl_times (id int NOT NULL PRIMARY KEY, a datetime DEFAULT CURRENT_TIMESTAMP, b datetime(3) DEFAULT CURRENT_TIMESTAMP(3), c date DEFAULT '2024-02-29', d time(2) DEFAULT '-838:59:59.00',
		e timestamp NULL DEFAULT NULL, f timestamp NOT NULL DEFAULT '2001-02-03 04:05:06', g year DEFAULT 1999, h datetime NOT NULL DEFAULT '2020-01-01 00:00:00',
		i datetime(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), j timestamp NULL ON UPDATE CURRENT_TIMESTAMP, k timestamp NOT NULL DEFAULT '2001-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP)`,
	`CREATE TABLE mdl_keys (id bigint NOT NULL, z int NOT NULL, y int NOT NULL, x varchar(30) NOT NULL, w varchar(400), v text, p point NOT NULL, o int, PRIMARY KEY (z, id),
		KEY zz (z), UNIQUE KEY y_last (y), KEY aa (y, x DESC), UNIQUE KEY b_text (x), UNIQUE KEY a_last (o), KEY mm (w(20), v(10)), SPATIAL KEY sp (p), KEY ab (o) COMMENT 'why', FULLTEXT KEY ft2 (w), FULLTEXT KEY ft1 (v, w)) ROW_FORMAT=COMPRESSED`,
	`CREATE TABLE mdl_counted (a int NOT NULL, n int NOT NULL AUTO_INCREMENT, b int, KEY bb (b), KEY nn (n), KEY ba (a)) AUTO_INCREMENT=77 COLLATE utf8mb4_bin`,
	"INSERT INTO mdl_keys VALUES (1, 2, 3, 'x', 'w', 'v', ST_GeomFromText('POINT(1.5 -2)'), NULL)",
}

// SHOW CREATE TABLE is the same for the source and the copy, on MySQL and MariaDB.
func TestMySQLCopyIsToTheLetter(t *testing.T) {
	for _, e := range engines[:2] {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			from, to := e.make(t), e.make(t)
			execute(t, from.look.SQL, letterMySQL...)
			copyTo(t, from, to)
			for _, table := range []string{"numbers", "texts", "times", "keys", "counted"} {
				got, want := showCreate(t, to.look.SQL, "mdl_"+table), showCreate(t, from.look.SQL, "mdl_"+table)
				if got != want {
					t.Errorf("copied\n%s\nfrom\n%s", got, want)
				}
			}
		})
	}
}

var letterPostgres = []string{
	`CREATE TYPE mdl_mood AS ENUM ('a', 'b''c')`,
	`CREATE TABLE mdl_numbers (id bigserial CONSTRAINT mdl_other_id9_pk PRIMARY KEY, a numeric(10,5) DEFAULT 0.00000, b numeric(12,7) NOT NULL DEFAULT 1.0, c numeric DEFAULT '1.50', d real DEFAULT 0.0000,
		e double precision DEFAULT 1e-7, f double precision DEFAULT 'NaN', g integer DEFAULT -1, h smallint DEFAULT '7', i numeric(38,19) NOT NULL DEFAULT 1.00000000000000000000, j bit(4) DEFAULT B'0101',
		k bit(3) DEFAULT '101', l bigint DEFAULT (2 + 3), m real DEFAULT '-Infinity', n numeric(5,2) DEFAULT -0.50, o numeric(3,1) DEFAULT 12345)`,
	`CREATE TABLE mdl_texts (id bigserial, a varchar(20) NOT NULL DEFAULT '', b text DEFAULT 'it''s', c char(3) DEFAULT 'x', d mdl_mood DEFAULT 'b''c', e bytea DEFAULT '\x00ff', f text DEFAULT E'a\\b\n', g json DEFAULT '{"a": 1}',
		h uuid DEFAULT '123e4567-e89b-12d3-a456-426614174000', i integer[] DEFAULT '{1,2}', j text COLLATE "C" DEFAULT upper('x'), "Quo""ted" int DEFAULT 1, k inet DEFAULT '::1', l boolean DEFAULT true, m varchar(5) DEFAULT NULL)`,
	`COMMENT ON COLUMN mdl_texts."Quo""ted" IS 'it''s'`,
	`COMMENT ON TABLE mdl_texts IS 'a ''comment'''`,
	`CREATE TABLE mdl_times (a timestamp DEFAULT now(), b timestamptz DEFAULT CURRENT_TIMESTAMP, c date DEFAULT '2024-02-29', d date DEFAULT CURRENT_DATE, e timestamptz DEFAULT '2001-02-03 04:05:06+02',
		f timestamp(3) DEFAULT '2001-02-03 04:05:06.5', g date DEFAULT 'infinity', h time DEFAULT '24:00:00', i interval DEFAULT '1 day', j timestamp DEFAULT now() + '1 day'::interval) WITH (fillfactor = 80)`,
	`CREATE TABLE mdl_keys (id bigint NOT NULL, z int NOT NULL, path varchar(255), body text, CONSTRAINT mdl_keys_id_pk PRIMARY KEY (z, id))`,
	`SELECT setval('mdl_numbers_id_seq', 41), setval('mdl_texts_id_seq', 1, false)`,
	`CREATE TABLE mdl_nulls (id int CONSTRAINT mdl_nulls_pk PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, a varchar(5) DEFAULT NULL, b char(3) DEFAULT NULL, c numeric(5,2) DEFAULT NULL, d timestamp(3) DEFAULT NULL,
		e bit(3) DEFAULT NULL, f numeric(5,2) DEFAULT NULL::numeric(4,1), g varchar(5) NOT NULL DEFAULT NULL::text, h varchar(3)[] DEFAULT NULL)`,
	`CREATE TABLE mdl_casts (id int NOT NULL, a char(3) DEFAULT 'x  ', b char(3) DEFAULT 'x'::text, c varchar(20) DEFAULT 'long'::varchar(2), d timestamp DEFAULT '2001-02-03 04:05:06.5'::timestamp(0), e interval(3) DEFAULT '1.23456 s',
		f date DEFAULT '2001-01-01'::timestamp, g bit varying(4) DEFAULT B'01'::bit(4), h varchar(20) DEFAULT 'x'::varchar(9), i text DEFAULT 'abcd'::char(2), j jsonb DEFAULT '{"b": 1}', k varchar DEFAULT 'x', l timestamptz DEFAULT '2001-02-03 04:05:06+02',
		m time(0) DEFAULT '01:02:03', n "char" DEFAULT 'x', o name DEFAULT 'x', p boolean DEFAULT (NOT true), q timestamp DEFAULT '2001-01-01'::date, r varchar(9) DEFAULT ''::text,
		CONSTRAINT mdl_casts_pk PRIMARY KEY (id) INCLUDE (c, "a") WITH (fillfactor = 60) DEFERRABLE)`,
	`COMMENT ON INDEX mdl_casts_pk IS 'by hand'`,
	`CREATE TYPE "mdl_Mo.o'd" AS ENUM ('x', 'y::mdl_mood')`,
	`CREATE TABLE mdl_moods (id int, m mdl_mood DEFAULT lower('A')::mdl_mood, n "mdl_Mo.o'd" DEFAULT lower('y::mdl_mood')::"mdl_Mo.o'd", o text DEFAULT 'a'::mdl_mood::text, p text DEFAULT '''::mdl_mood' || upper('::mdl_mood'))`,
	`CREATE INDEX mdl_moods_part ON mdl_moods (id) WHERE m = 'a' AND n <> 'y::mdl_mood' AND m = ANY (ARRAY['a'::mdl_mood])`,
	`CREATE INDEX mdl_moods_expr ON mdl_moods (coalesce(m, 'b''c'::mdl_mood))`,
	`CREATE UNIQUE INDEX mdl_keys_pat_uix ON mdl_keys (path)`,
	`CREATE INDEX mdl_keys_pat_ix ON mdl_keys (path DESC, z)`,
	`CREATE INDEX mdl_keys_pat_ix_pattern ON mdl_keys (path varchar_pattern_ops) WITH (fillfactor = 70)`,
	`CREATE INDEX mdl_keys_words ON mdl_keys USING gin (to_tsvector('simple', body))`,
	`CREATE INDEX mdl_keys_english ON mdl_keys USING gin (to_tsvector('english', path), to_tsvector('simple', body)) WITH (fastupdate = off)`,
	`COMMENT ON INDEX mdl_keys_words IS 'it''s'`,
	`CREATE INDEX by_hand ON mdl_keys (lower(path) text_pattern_ops) WHERE z > 0`,
	`CREATE INDEX mdl_keys_hash ON mdl_keys USING hash (z)`,
	`CREATE INDEX mdl_keys_nulls ON mdl_keys (z NULLS FIRST) INCLUDE (id)`,
	`CREATE TABLE mdl_unique (a int UNIQUE, b int, c text, CONSTRAINT by_hand_too UNIQUE (b, c) DEFERRABLE INITIALLY DEFERRED, UNIQUE (c) DEFERRABLE, UNIQUE (b) INCLUDE (a), CONSTRAINT by_hand_three UNIQUE (a, c) INCLUDE (b) WITH (fillfactor = 50) DEFERRABLE)`,
	`COMMENT ON INDEX by_hand_too IS 'why'`,
}

// The catalog describes source and copy equally, whether the copy was made directly,
// from a repository, or by replacing another site.
func TestPostgresCopyIsToTheLetter(t *testing.T) {
	from, to := engines[2].make(t), engines[2].make(t)
	execute(t, from.look.SQL, letterPostgres...)
	var version int
	if err := from.look.SQL.QueryRowContext(t.Context(), "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		t.Fatal(err)
	}
	if version >= 150000 {
		execute(t, from.look.SQL, `CREATE TABLE mdl_nullkeys (a int, b int UNIQUE NULLS NOT DISTINCT, c text UNIQUE NULLS NOT DISTINCT DEFERRABLE, UNIQUE NULLS NOT DISTINCT (a, b) INCLUDE (c) INITIALLY DEFERRED)`)
	}
	want := catalog(t, from.look.SQL)
	if len(want) < 110 {
		t.Fatalf("the catalog has only %d entries", len(want))
	}
	copyTo(t, from, to)
	compareLines(t, catalog(t, to.look.SQL), want)

	restored, dir := engines[2].make(t), t.TempDir()
	must(t, []string{"FROM=" + from.env}, "run", pipelineFile(t, fmt.Sprintf("version: 1\nsource: ["+from.stage+"]\nsink: [{use: local, with: {dir: %s, create: true}}]\n", "FROM", dir)))
	for _, replace := range []string{"", "replace: true, replace_other_site: true"} {
		must(t, []string{"TO=" + restored.env}, "run", pipelineFile(t, fmt.Sprintf("version: 1\nsource: [{use: local, with: {dir: %s}}]\nsink: [{use: postgres, with: {dsn: \"${env:TO}\", %s}}]\n", dir, replace)))
		compareLines(t, catalog(t, restored.look.SQL), want)
	}
}

var letterSQLite = []string{
	`CREATE TABLE mdl_numbers (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, a DECIMAL(10,5) DEFAULT 0.00000, b NUMERIC NOT NULL DEFAULT 1.0, c REAL DEFAULT 1e-7, d BIGINT DEFAULT -1, e DOUBLE DEFAULT 9e999, f BOOLEAN DEFAULT TRUE)`,
	`CREATE TABLE mdl_texts (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, a VARCHAR(20) NOT NULL DEFAULT '', b TEXT DEFAULT 'it''s', c TEXT COLLATE NOCASE DEFAULT (upper('x')), d BLOB DEFAULT x'00ff', e DATETIME DEFAULT CURRENT_TIMESTAMP)`,
	`CREATE UNIQUE INDEX mdl_texts_a ON mdl_texts (a, b DESC)`,
	`CREATE INDEX mdl_texts_low ON mdl_texts (lower(b)) WHERE a <> ''`,
}

// Columns, defaults and indexes of a copied SQLite file keep their spelling.
func TestSQLiteCopyIsToTheLetter(t *testing.T) {
	from, to := engines[3].make(t), engines[3].make(t)
	execute(t, from.look.SQL, letterSQLite...)
	copyTo(t, from, to)
	look := func(db *sql.DB) []string {
		return lines(t, db, `SELECT m.name || ' ' || x.name || ' ' || x.type || ' ' || x."notnull" || ' ' || coalesce(x.dflt_value, 'none') || ' ' || x.pk FROM sqlite_master m, pragma_table_xinfo(m.name) x
			UNION ALL SELECT name || ' ' || replace(substr(sql, instr(sql, '(')), '"', '') FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL`)
	}
	compareLines(t, look(to.look.SQL), look(from.look.SQL))
}

func copyTo(t *testing.T, from, to database) {
	t.Helper()
	out := must(t, []string{"FROM=" + from.env, "TO=" + to.env}, "run", pipelineFile(t, fmt.Sprintf(
		"version: 1\nsource: ["+from.stage+"]\nsink: ["+to.stage+"]\n", "FROM", "TO")))
	if strings.Contains(out.stdout+out.stderr, "could not be compared") {
		t.Errorf("a default is not proven:\n%s%s", out.stdout, out.stderr)
	}
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func showCreate(t *testing.T, db *sql.DB, table string) string {
	t.Helper()
	var name, create string
	if err := db.QueryRowContext(t.Context(), "SHOW CREATE TABLE "+table).Scan(&name, &create); err != nil {
		t.Fatal(err)
	}
	return create
}

// catalog describes every object that belongs to the tables of a schema, one per line.
func catalog(t *testing.T, db *sql.DB) []string {
	t.Helper()
	return lines(t, db, `
		SELECT concat_ws(' ', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attcollation::regcollation, pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum))
			FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r' LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
			WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0
		UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
		UNION ALL SELECT concat_ws(' ', 'index', indexdef, obj_description(indexname::regclass)) FROM pg_indexes WHERE schemaname = 'public'
		UNION ALL SELECT concat_ws(' ', 'sequence', sequencename, last_value, pg_get_serial_sequence(regexp_replace(sequencename::text, '_id_seq$', ''), 'id')) FROM pg_sequences WHERE schemaname = 'public'
		UNION ALL SELECT concat_ws(' ', 'table', relname, reloptions::text, obj_description(oid)) FROM pg_class WHERE relnamespace = 'public'::regnamespace
		UNION ALL SELECT concat_ws(' ', 'enum', enumtypid::regtype, enumlabel) FROM pg_enum`)
}

func lines(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		all = append(all, regexp.MustCompile(`\s+`).ReplaceAllString(line, " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func compareLines(t *testing.T, got, want []string) {
	t.Helper()
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("instead: %s", line)
		}
	}
}
