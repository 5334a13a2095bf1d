package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// column is a column of a source with a default, and the value of a new row on each
// engine. lost means that the engine does not support the default, which is a loss.
type column struct {
	name, declared          string
	mysql, postgres, sqlite string
	mariadb                 string // if different from MySQL
}

const lost = "(lost)"

// same returns a column whose default is the same text on all engines.
func same(name, declared, value string) column {
	return column{name, declared, value, value, value, ""}
}

// own returns a column whose default only its own engine supports.
func own(name, declared string) column { return column{name, declared, lost, lost, lost, ""} }

var defaultsOfMySQL = []column{
	same("i1", "tinyint DEFAULT -128", "-128"),
	same("i2", "smallint unsigned DEFAULT 65535", "65535"),
	same("i3", "mediumint DEFAULT -8388608", "-8388608"),
	same("i4", "int unsigned DEFAULT 4294967295", "4294967295"),
	same("i8", "bigint DEFAULT -9223372036854775808", "-9223372036854775808"),
	same("u8", "bigint unsigned DEFAULT 18446744073709551615", "18446744073709551615"),
	{"zf", "int(5) zerofill DEFAULT 7", "00007", "7", "7", ""},
	{"de", "decimal(10,5) DEFAULT 1.5", "1.50000", "1.50000", "1.5", ""},
	{"du", "decimal(10,5) unsigned DEFAULT 1.5", "1.50000", "1.50000", "1.5", ""},
	{"d0", "decimal(38,19) DEFAULT 0", "0.0000000000000000000", "0.0000000000000000000", "0.0000000000000000000", ""},
	same("db", "double DEFAULT -2.5", "-2.5"),
	same("fl", "float DEFAULT 0.25", "0.25"),
	{"f7", "float DEFAULT 1.1234567", "1.1234567165374756", "1.1234567", "1.1234567", ""},
	{"fm", "float DEFAULT 3.4028234663852886e38", "3.4028234663852886e38", "3.4028235e+38", "3.4028235e+38", ""},
	same("vc", "varchar(20) DEFAULT 'it''s \\\\ ü😀'", `it's \ ü😀`),
	{"nu", `varchar(9) DEFAULT 'a\0b'`, "a\x00b", lost, lost, ""},
	same("em", "varchar(20) NOT NULL DEFAULT ''", ""),
	same("ch", "char(5) DEFAULT 'ab'", "ab"),
	same("tx", "text DEFAULT ('it''s')", "it's"),
	{"vb", "varbinary(4) DEFAULT 0x00ff", "00FF", "00FF", "00FF", ""},
	{"bf", "binary(3) DEFAULT 0x41", "410000", "410000", "410000", ""},
	{"bl", "blob DEFAULT ('b''')", "6227", "6227", "6227", ""},
	{"bx", "mediumblob DEFAULT (x'00ff27')", "00FF27", "00FF27", "00FF27", ""},
	{"bt", "bit(3) DEFAULT b'101'", "101", "101", "101", ""},
	same("da", "date DEFAULT '2024-02-29'", "2024-02-29"),
	{"z0", "date DEFAULT '0000-00-00'", "0000-00-00", lost, "0000-00-00", ""},
	{"zp", "date DEFAULT '2024-00-15'", "2024-00-15", lost, "2024-00-15", ""},
	same("dt", "datetime DEFAULT '2001-02-03 04:05:06'", "2001-02-03 04:05:06"),
	{"df", "datetime(3) DEFAULT '2001-02-03 04:05:06.5'", "2001-02-03 04:05:06.500", "2001-02-03 04:05:06.5", "2001-02-03 04:05:06.5", ""},
	{"dz", "datetime DEFAULT '0000-00-00 00:00:00'", "0000-00-00 00:00:00", lost, "0000-00-00 00:00:00", ""},
	{"tz", "timestamp NULL DEFAULT '0000-00-00 00:00:00'", "0000-00-00 00:00:00", lost, "0000-00-00 00:00:00", ""},
	same("tm", "time DEFAULT '-838:59:59'", "-838:59:59"),
	{"yr", "year DEFAULT '0000'", "0000", "0", "0000", ""},
	same("en", "enum('a','b''c') DEFAULT 'b''c'", "b'c"),
	same("se", "set('x','y') DEFAULT 'x,y'", "x,y"),
	same("js", `json DEFAULT ('{"a": 1}')`, `{"a": 1}`),
	{"ex", "varchar(40) DEFAULT (concat('a', 'b'))", "ab", lost, lost, ""},
}

var defaultsOfPostgres = []column{
	same("i2", "smallint DEFAULT -32768", "-32768"),
	own("o2", "smallint DEFAULT 40000"),
	same("i8", "bigint DEFAULT 9223372036854775807", "9223372036854775807"),
	same("n38", "numeric(38,19) DEFAULT 1.00000000000000000000", "1.0000000000000000000"),
	{"n3", "numeric(3,1) DEFAULT -1.25", "-1.3", "", "-1.3", ""},
	own("n5", "numeric(5,2) DEFAULT 12345"),
	same("nu", "numeric DEFAULT 1.50", "1.50"),
	same("un", "numeric DEFAULT 'NaN'", "NaN"),
	{"na", "numeric(10,2) DEFAULT 'NaN'", lost, "", "NaN", ""},
	{"rn", "real DEFAULT 'NaN'", lost, "", "NaN", ""},
	{"ri", "double precision DEFAULT '-Infinity'", lost, "", "-Inf", ""},
	{name: "rz", declared: "double precision DEFAULT '-0'", mysql: "-0", sqlite: "-0", mariadb: lost},
	same("re", "real DEFAULT 0.25", "0.25"),
	{"r7", "real DEFAULT 1.1234567", "1.1234567165374756", "", "1.1234567", ""},
	{"rm", "real DEFAULT 3.4028235e38", "3.4028234663852886e38", "", "3.4028235e+38", ""},
	{"bo", "boolean DEFAULT true", "1", "", "1", ""},
	same("vc", "varchar(20) DEFAULT 'it''s \\ ü😀'", `it's \ ü😀`),
	own("vl", "varchar(3) DEFAULT 'long'"),
	same("ch", "char(3) DEFAULT 'x'", "x"),
	same("tx", "text DEFAULT E'a\\n'", "a\n"),
	{"ba", `bytea DEFAULT '\x00ff'`, "00FF", "", "00FF", ""},
	same("bi", "bit(3) DEFAULT B'101'", "101"),
	same("vb", "bit varying(5) DEFAULT B'10'", "10"),
	same("da", "date DEFAULT '0009-12-04'", "0009-12-04"),
	{"di", "date DEFAULT 'infinity'", lost, "", "infinity", ""},
	{"bc", "date DEFAULT '0044-03-15 BC'", lost, "", "0044-03-15 BC", ""},
	{"ti", "time DEFAULT '24:00:00'", "24:00:00.000000", "", "24:00:00", ""},
	{"ts", "timestamp DEFAULT '2001-02-03 04:05:06.123456'", "2001-02-03 04:05:06.123456", "", "2001-02-03 04:05:06.123456", ""},
	{"si", "timestamp DEFAULT '-infinity'", lost, "", "-infinity", ""},
	{"sz", "timestamptz(0) DEFAULT '2001-02-03 04:05:06+02'", "2001-02-03 02:05:06", "", "2001-02-03 02:05:06", ""},
	same("iv", "interval DEFAULT '1 day'", "1 day"),
	same("ar", "integer[] DEFAULT '{1,2}'", "{1,2}"),
	same("ip", "inet DEFAULT '::1'", "::1"),
	same("js", `json DEFAULT '{"a": 1}'`, `{"a": 1}`),
	same("uu", "uuid DEFAULT '123E4567-e89b-12d3-a456-426614174000'", "123e4567-e89b-12d3-a456-426614174000"),
	same("en", "mdl_mood DEFAULT 'b''c'", "b'c"),
	own("dn", "date DEFAULT now()"),
	own("dc", "date DEFAULT CURRENT_DATE"),
	own("rd", "double precision DEFAULT random()"),
	own("tn", "text DEFAULT now()"),
}

var defaultsOfSQLite = []column{
	same("i1", "TINYINT DEFAULT -5", "-5"),
	own("o1", "TINYINT DEFAULT 300"),
	own("ia", "BIGINT DEFAULT 'abc'"),
	same("ib", "BIGINT DEFAULT '12'", "12"),
	same("vi", "VARCHAR(9) DEFAULT 5", "5"),
	own("vl", "VARCHAR(3) DEFAULT 'long'"),
	{"bo", "BOOLEAN DEFAULT TRUE", "1", "true", "", ""},
	{"de", "DECIMAL(10,5) DEFAULT 1.5", "1.50000", "1.50000", "", ""},
	own("dd", "DECIMAL(5,2) DEFAULT 12345"),
	{"ri", "DOUBLE DEFAULT 9e999", lost, "Infinity", "", ""},
	same("re", "DOUBLE DEFAULT 2.5", "2.5"),
	{"r7", "FLOAT DEFAULT 1.1234567", "1.1234567165374756", "1.1234567", "", ""},
	{"rm", "FLOAT DEFAULT 3.4028235e38", "3.4028234663852886e38", "3.4028235e+38", "", ""},
	own("rx", "FLOAT DEFAULT 3.5e38"),
	{"bl", "BLOB DEFAULT x'00ff'", "00FF", "00FF", "", ""},
	same("bi", "BIT_TEXT(3) DEFAULT '101'", "101"),
	own("bs", "BIT_TEXT(3) DEFAULT '10'"),
	same("da", "DATE_TEXT DEFAULT '2024-02-29'", "2024-02-29"),
	own("dn", "DATE_TEXT DEFAULT 'nonsense'"),
	own("d0", "DATE_TEXT DEFAULT '2024-02-30'"),
	{"ti", "TIME_TEXT DEFAULT '99:99:99'", lost, "99:99:99", "", ""},
	{"yr", "YEAR_TEXT DEFAULT '3000'", lost, "3000", "", ""},
	{"uu", "UUID_TEXT DEFAULT 'x'", "x", lost, "", ""},
	{"js", "JSON_TEXT DEFAULT '{'", "{", lost, "", ""},
	same("tx", "TEXT DEFAULT 'it''s'", "it's"),
	own("ex", "TEXT DEFAULT (upper('x'))"),
	own("tn", "TEXT DEFAULT CURRENT_TIMESTAMP"),
	own("dc", "DATE_TEXT DEFAULT CURRENT_DATE"),
}

// These functions exist on only one of MariaDB and MySQL.
var (
	onlyMariaDB = []column{{"pf", `varchar(20) DEFAULT (json_compact('[1, 2]'))`, lost, lost, lost, ""}}
	onlyMySQL   = []column{{"pf", `varbinary(16) DEFAULT (uuid_to_bin('123e4567-e89b-12d3-a456-426614174000'))`, lost, lost, lost, ""}}
)

// A default that the target supports is written. Any other is reported by table and
// column before anything is written; once accepted, it fails neither the proof nor
// the run.
func TestDefaultsAcrossEngines(t *testing.T) {
	for _, c := range []struct {
		from    engine
		columns []column
		before  []string
	}{
		{engines[0], slices.Concat(defaultsOfMySQL, onlyMariaDB), []string{"SET sql_mode = ''"}},
		{engines[1], slices.Concat(defaultsOfMySQL, onlyMySQL), []string{"SET sql_mode = ''"}},
		{engines[2], defaultsOfPostgres, []string{"CREATE TYPE mdl_mood AS ENUM ('a', 'b''c')"}},
		{engines[3], defaultsOfSQLite, nil},
	} {
		t.Run(c.from.name, func(t *testing.T) {
			t.Parallel()
			from := c.from.make(t)
			var declared []string
			for _, column := range c.columns {
				declared = append(declared, column.name+" "+column.declared)
			}
			conn, err := from.look.SQL.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, statement := range append(c.before, "CREATE TABLE mdl_d (id int NOT NULL PRIMARY KEY, "+strings.Join(declared, ", ")+")") {
				if _, err := conn.ExecContext(t.Context(), statement); err != nil {
					t.Fatalf("%s: %v", statement, err)
				}
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			for _, to := range engines {
				if to.name == c.from.name {
					continue
				}
				t.Run("to "+to.name, func(t *testing.T) {
					carryDefaults(t, from, to, c.columns)
				})
			}
		})
	}
}

func carryDefaults(t *testing.T, from database, engine engine, columns []column) {
	t.Helper()
	to := engine.make(t)
	var want, names []string
	values := map[string]string{}
	for _, c := range columns {
		value := map[string]string{"mysql": c.mysql, "postgres": c.postgres, "sqlite": c.sqlite}[to.look.Dialect]
		if engine.name == "mariadb" && c.mariadb != "" {
			value = c.mariadb
		}
		if value == lost {
			want = append(want, c.name)
			continue
		}
		values[c.name] = value
		names = append(names, c.name)
	}
	env := []string{"FROM=" + from.env, "TO=" + to.env}
	pipeline := pipelineFile(t, fmt.Sprintf("version: 1\nsource: ["+from.stage+"]\nsink: ["+to.stage+"]\n", "FROM", "TO"))
	args := []string{"run", pipeline}
	if len(want) > 0 {
		out := vault(t, env, args...)
		var got []string
		for _, m := range regexp.MustCompile(`default db/d \(column (\w+)\)`).FindAllStringSubmatch(out.stderr, -1) {
			got = append(got, m[1])
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("exit %d, losses %q, want %q:\n%s", out.code, got, want, out.stderr)
		}
		args = append(args, "--accept-loss", fmt.Sprintf("default=%d", len(want)))
	}
	if out := must(t, env, args...); strings.Contains(out.stdout+out.stderr, "could not be compared") {
		t.Errorf("a default is not proven:\n%s%s", out.stdout, out.stderr)
	}
	to.look.SQL.SetMaxOpenConns(1)
	if to.look.Dialect == "mysql" {
		execute(t, to.look.SQL, "SET sql_mode = ''") // allow zero dates
	}
	execute(t, to.look.SQL, "INSERT INTO mdl_d (id) VALUES (1)")
	for _, name := range append(names, want...) {
		var value *string
		if err := to.look.SQL.QueryRowContext(t.Context(), "SELECT "+asText(t, to, name)+" FROM mdl_d").Scan(&value); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		expected, there := values[name]
		switch {
		case (value != nil) != there:
			t.Errorf("column %s has a default: %v, want %v", name, value != nil, there)
		case there && *value != expected:
			t.Errorf("column %s: %q, want %q", name, *value, expected)
		}
	}
}

// asText returns an expression for a column as text: bytes in hex, bits as digits.
func asText(t *testing.T, db database, name string) string {
	t.Helper()
	var typ string
	query := "SELECT DATA_TYPE FROM information_schema.columns WHERE table_name = 'mdl_d' AND column_name = '" + name + "'"
	switch db.look.Dialect {
	case "mysql":
		query += " AND table_schema = DATABASE()"
	case "sqlite":
		query = "SELECT type FROM pragma_table_info('mdl_d') WHERE name = '" + name + "'"
	}
	if err := db.look.SQL.QueryRowContext(t.Context(), query).Scan(&typ); err != nil {
		t.Fatal(err)
	}
	switch typ = strings.ToLower(typ); {
	case typ == "bytea":
		return "upper(encode(" + name + ", 'hex'))"
	case typ == "bit" && db.look.Dialect == "mysql":
		return "LPAD(BIN(" + name + "), 3, '0')"
	case strings.Contains(typ, "blob"), strings.Contains(typ, "binary"):
		return "CASE WHEN " + name + " IS NOT NULL THEN HEX(" + name + ") END" // in SQLite HEX(NULL) is ''
	case typ == "float" && db.look.Dialect == "mysql":
		return "CONCAT(" + name + " * 1e0)" // as text it would have six digits
	case db.look.Dialect == "mysql":
		return "CONCAT(" + name + ")"
	case strings.HasPrefix(typ, "timestamp with time"):
		return "(" + name + " AT TIME ZONE 'UTC')::text"
	}
	return "CAST(" + name + " AS text)"
}
