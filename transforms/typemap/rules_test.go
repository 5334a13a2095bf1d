package typemap

import (
	"database/sql"
	"fmt"
	"reflect"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/internal/servers"
)

// mapped returns the only column of a table after the type map.
func mapped(t *testing.T, from string, typ schema.Type, to string) schema.Column {
	t.Helper()
	table := schema.Table{Name: "t", Dialect: from, Columns: []schema.Column{{Name: "c", Type: typ}}}
	m, err := New(Config{}).Table(t.Context(), table, to)
	if err != nil {
		t.Fatal(err)
	}
	if m.Schema.Dialect != to || len(m.Losses) > 0 {
		t.Errorf("%v from %q to %q: dialect %q, losses %v", typ, from, to, m.Schema.Dialect, m.Losses)
	}
	return m.Schema.Columns[0]
}

type (
	typ  = schema.Type
	kase struct {
		from   schema.Type
		native string
		as     schema.Type
	}
)

// Every rule appears here at least once: the original column and the result.
var toPostgresCases = []kase{
	{typ{Kind: "int", Size: 1, Length: 1}, "SMALLINT", typ{Kind: "int", Size: 2}}, // never a boolean
	{typ{Kind: "int", Size: 1, Unsigned: true}, "SMALLINT", typ{Kind: "int", Size: 2}},
	{typ{Kind: "int", Size: 2, Length: 4}, "SMALLINT", typ{Kind: "int", Size: 2}},
	{typ{Kind: "int", Size: 2, Unsigned: true}, "INTEGER", typ{Kind: "int", Size: 4}},
	{typ{Kind: "int", Size: 3, Length: 6}, "INTEGER", typ{Kind: "int", Size: 4}},
	{typ{Kind: "int", Size: 3, Unsigned: true}, "INTEGER", typ{Kind: "int", Size: 4}},
	{typ{Kind: "int", Size: 4, Length: 9}, "INTEGER", typ{Kind: "int", Size: 4}},
	{typ{Kind: "int", Size: 4, Unsigned: true}, "BIGINT", typ{Kind: "int", Size: 8}},
	{typ{Kind: "int", Size: 8, Length: 10}, "BIGINT", typ{Kind: "int", Size: 8}},
	{typ{Kind: "int", Size: 8, Unsigned: true}, "NUMERIC(20,0)", typ{Kind: "decimal", Length: 20}},
	{typ{Kind: "decimal", Length: 10, Scale: 5}, "NUMERIC(10,5)", typ{Kind: "decimal", Length: 10, Scale: 5}},
	{typ{Kind: "decimal", Length: 65, Scale: 30, Unsigned: true}, "NUMERIC(65,30)", typ{Kind: "decimal", Length: 65, Scale: 30}},
	{typ{Kind: "decimal"}, "NUMERIC", typ{Kind: "decimal"}},
	{typ{Kind: "float", Size: 4}, "REAL", typ{Kind: "float", Size: 4}},
	{typ{Kind: "float", Size: 8}, "DOUBLE PRECISION", typ{Kind: "float", Size: 8}},
	{typ{Kind: "bool"}, "BOOLEAN", typ{Kind: "bool"}},
	{typ{Kind: "char", Length: 10, Fixed: true}, "CHAR(10)", typ{Kind: "char", Length: 10, Fixed: true}},
	{typ{Kind: "char", Length: 1333}, "VARCHAR(1333)", typ{Kind: "char", Length: 1333}},
	{typ{Kind: "char"}, "TEXT", typ{Kind: "text"}},
	{typ{Kind: "text"}, "TEXT", typ{Kind: "text"}},
	{typ{Kind: "text", Length: 255}, "TEXT", typ{Kind: "text"}},
	{typ{Kind: "binary"}, "BYTEA", typ{Kind: "binary"}},
	{typ{Kind: "binary", Length: 16, Fixed: true}, "BYTEA", typ{Kind: "binary"}},
	{typ{Kind: "bit", Length: 8}, "BIT(8)", typ{Kind: "bit", Length: 8}},
	{typ{Kind: "date"}, "DATE", typ{Kind: "date"}},
	{typ{Kind: "time", Scale: 3}, "VARCHAR(17)", typ{Kind: "char", Length: 17}},
	{typ{Kind: "datetime"}, "TIMESTAMP(0)", typ{Kind: "datetime"}},
	{typ{Kind: "datetime", Scale: 6}, "TIMESTAMP(6)", typ{Kind: "datetime", Scale: 6}},
	{typ{Kind: "timestamp", Scale: 3}, "TIMESTAMPTZ(3)", typ{Kind: "timestamp", Scale: 3}},
	{typ{Kind: "year"}, "SMALLINT", typ{Kind: "int", Size: 2}},
	{typ{Kind: "json"}, "JSON", typ{Kind: "json"}},
	{typ{Kind: "enum", Values: []string{"a", "blåbær", "c'd"}}, "VARCHAR(6)", typ{Kind: "char", Length: 6}},
	{typ{Kind: "enum", Values: []string{""}}, "TEXT", typ{Kind: "text"}},
	{typ{Kind: "set", Values: []string{"x", "yy"}}, "VARCHAR(4)", typ{Kind: "char", Length: 4}},
	{typ{Kind: "set"}, "TEXT", typ{Kind: "text"}},
	{typ{Kind: "uuid"}, "UUID", typ{Kind: "uuid"}},
	{typ{Kind: "other"}, "TEXT", typ{Kind: "text"}},
}

var toMySQLCases = []kase{
	{typ{Kind: "int", Size: 1, Length: 1}, "TINYINT(1)", typ{Kind: "int", Size: 1, Length: 1}},
	{typ{Kind: "int", Size: 1, Unsigned: true}, "TINYINT(2) UNSIGNED", typ{Kind: "int", Size: 1, Length: 2, Unsigned: true}},
	{typ{Kind: "int", Size: 2}, "SMALLINT(4)", typ{Kind: "int", Size: 2, Length: 4}},
	{typ{Kind: "int", Size: 2, Unsigned: true}, "SMALLINT(4) UNSIGNED", typ{Kind: "int", Size: 2, Length: 4, Unsigned: true}},
	{typ{Kind: "int", Size: 3, Length: 5}, "MEDIUMINT(5)", typ{Kind: "int", Size: 3, Length: 5}},
	{typ{Kind: "int", Size: 3, Unsigned: true}, "MEDIUMINT(6) UNSIGNED", typ{Kind: "int", Size: 3, Length: 6, Unsigned: true}},
	{typ{Kind: "int", Size: 4}, "INT(9)", typ{Kind: "int", Size: 4, Length: 9}},
	{typ{Kind: "int", Size: 4, Unsigned: true}, "INT(9) UNSIGNED", typ{Kind: "int", Size: 4, Length: 9, Unsigned: true}},
	{typ{Kind: "int", Size: 8}, "BIGINT(10)", typ{Kind: "int", Size: 8, Length: 10}},
	{typ{Kind: "int", Size: 8, Length: 18}, "BIGINT(18)", typ{Kind: "int", Size: 8, Length: 18}},
	{typ{Kind: "int", Size: 8, Unsigned: true}, "BIGINT(10) UNSIGNED", typ{Kind: "int", Size: 8, Length: 10, Unsigned: true}},
	{typ{Kind: "decimal", Length: 20, Scale: 10}, "DECIMAL(20,10)", typ{Kind: "decimal", Length: 20, Scale: 10}},
	{typ{Kind: "decimal", Length: 38}, "DECIMAL(38,0)", typ{Kind: "decimal", Length: 38}},
	{typ{Kind: "decimal"}, "LONGTEXT", typ{Kind: "text"}},
	{typ{Kind: "decimal", Length: 100, Scale: 2}, "LONGTEXT", typ{Kind: "text"}},
	{typ{Kind: "decimal", Length: 3, Scale: 5}, "LONGTEXT", typ{Kind: "text"}}, // PostgreSQL 15: 0.00123
	{typ{Kind: "decimal", Length: 3, Scale: -2}, "LONGTEXT", typ{Kind: "text"}},
	{typ{Kind: "float", Size: 4}, "FLOAT", typ{Kind: "float", Size: 4}},
	{typ{Kind: "float", Size: 8}, "DOUBLE", typ{Kind: "float", Size: 8}},
	{typ{Kind: "bool"}, "TINYINT(1)", typ{Kind: "int", Size: 1, Length: 1}},
	{typ{Kind: "char", Length: 255, Fixed: true}, "CHAR(255)", typ{Kind: "char", Length: 255, Fixed: true}},
	{typ{Kind: "char", Length: 256, Fixed: true}, "VARCHAR(256)", typ{Kind: "char", Length: 256}},
	{typ{Kind: "char", Length: 1333}, "VARCHAR(1333)", typ{Kind: "char", Length: 1333}},
	{typ{Kind: "char", Length: 16384}, "LONGTEXT", typ{Kind: "text"}},
	{typ{Kind: "text"}, "LONGTEXT", typ{Kind: "text"}},
	{typ{Kind: "binary", Length: 16, Fixed: true}, "BINARY(16)", typ{Kind: "binary", Length: 16, Fixed: true}},
	{typ{Kind: "binary", Length: 300}, "VARBINARY(300)", typ{Kind: "binary", Length: 300}},
	{typ{Kind: "binary"}, "LONGBLOB", typ{Kind: "binary"}},
	{typ{Kind: "bit", Length: 64}, "BIT(64)", typ{Kind: "bit", Length: 64}},
	{typ{Kind: "bit", Length: 65}, "LONGTEXT", typ{Kind: "text"}},
	{typ{Kind: "date"}, "DATE", typ{Kind: "date"}},
	{typ{Kind: "time", Scale: 6}, "TIME(6)", typ{Kind: "time", Scale: 6}},
	{typ{Kind: "datetime", Scale: 6}, "DATETIME(6)", typ{Kind: "datetime", Scale: 6}},
	{typ{Kind: "timestamp", Scale: 6}, "DATETIME(6)", typ{Kind: "datetime", Scale: 6}},
	{typ{Kind: "year"}, "YEAR", typ{Kind: "year"}},
	{typ{Kind: "json"}, "LONGTEXT", typ{Kind: "text"}},
	{typ{Kind: "enum", Values: []string{"sad", "happy"}}, "VARCHAR(5)", typ{Kind: "char", Length: 5}},
	{typ{Kind: "enum"}, "LONGTEXT", typ{Kind: "text"}},
	{typ{Kind: "set", Values: []string{"x", "y"}}, "VARCHAR(3)", typ{Kind: "char", Length: 3}},
	{typ{Kind: "set"}, "LONGTEXT", typ{Kind: "text"}},
	{typ{Kind: "uuid"}, "CHAR(36)", typ{Kind: "char", Length: 36, Fixed: true}},
	{typ{Kind: "other"}, "LONGTEXT", typ{Kind: "text"}},
}

func TestEveryRule(t *testing.T) {
	for to, cases := range map[string][]kase{postgres: toPostgresCases, mysql: toMySQLCases} {
		used := map[string]bool{}
		for _, c := range cases {
			// The source engine makes no difference, including the neutral sample.
			for _, from := range []string{mysql, postgres, sqlite, ""} {
				if from == to {
					continue
				}
				got := mapped(t, from, c.from, to)
				if got.Native != c.native || !reflect.DeepEqual(got.Type, c.as) {
					t.Errorf("%+v from %q to %q is %s %+v, want %s %+v", c.from, from, to, got.Native, got.Type, c.native, c.as)
				}
			}
			r, err := (&transform{rules: Rules()}).rule(c.from, to)
			if err != nil {
				t.Fatal(err)
			}
			used[r.From()] = true
		}
		for _, r := range Rules() {
			if r.To == to && !used[r.From()] {
				t.Errorf("no case for the rule %s to %s", r.From(), to)
			}
		}
	}
}

// Engines accept the types that the rules produce.
func TestNativeIsDDL(t *testing.T) {
	create := func(t *testing.T, db *sql.DB, cases []kase) {
		for i, c := range cases {
			if _, err := db.ExecContext(t.Context(), fmt.Sprintf("CREATE TABLE t%d (c %s)", i, c.native)); err != nil {
				t.Errorf("%s: %v", c.native, err)
			}
		}
	}
	t.Run("MariaDB", func(t *testing.T) { create(t, servers.MariaDB(t).SQL, toMySQLCases) })
	t.Run("MySQL", func(t *testing.T) { create(t, servers.MySQL(t).SQL, toMySQLCases) })
	t.Run("PostgreSQL", func(t *testing.T) { create(t, servers.Postgres(t).SQL, toPostgresCases) })
}

// SQLite keeps the logical types, except unsigned numbers that are not integers; its
// dialect chooses the declared type.
func TestToSQLite(t *testing.T) {
	for _, c := range append(toPostgresCases, toMySQLCases...) {
		got, want := mapped(t, mysql, c.from, sqlite), c.from
		want.Unsigned = want.Unsigned && want.Kind == schema.Int
		if got.Native != "" || !reflect.DeepEqual(got.Type, want) {
			t.Errorf("%+v to SQLite is %q %+v", c.from, got.Native, got.Type)
		}
	}
}

// Every type that Moodle's XMLDB creates on MySQL, on PostgreSQL, and back on MySQL.
func TestMoodleTypesThereAndBack(t *testing.T) {
	integer := func(size, length int) typ { return typ{Kind: "int", Size: size, Length: length} }
	for _, c := range []struct {
		mysql    typ
		postgres string
		back     string
	}{
		{integer(8, 10), "BIGINT", "BIGINT(10)"},
		{integer(8, 20), "BIGINT", "BIGINT(10)"},
		{integer(4, 9), "INTEGER", "INT(9)"},
		{integer(4, 7), "INTEGER", "INT(9)"},
		{integer(3, 6), "INTEGER", "INT(9)"}, // as wide as what XMLDB creates on PostgreSQL
		{integer(3, 5), "INTEGER", "INT(9)"},
		{integer(2, 4), "SMALLINT", "SMALLINT(4)"},
		{integer(2, 3), "SMALLINT", "SMALLINT(4)"},
		{integer(1, 2), "SMALLINT", "SMALLINT(4)"},
		{integer(1, 1), "SMALLINT", "SMALLINT(4)"},
		{typ{Kind: "decimal", Length: 10, Scale: 5}, "NUMERIC(10,5)", "DECIMAL(10,5)"},
		{typ{Kind: "float", Size: 4}, "REAL", "FLOAT"},
		{typ{Kind: "float", Size: 8}, "DOUBLE PRECISION", "DOUBLE"},
		{typ{Kind: "char", Length: 255}, "VARCHAR(255)", "VARCHAR(255)"},
		{typ{Kind: "char", Length: 1333}, "VARCHAR(1333)", "VARCHAR(1333)"},
		{typ{Kind: "text"}, "TEXT", "LONGTEXT"},
		{typ{Kind: "binary"}, "BYTEA", "LONGBLOB"},
		{typ{Kind: "datetime"}, "TIMESTAMP(0)", "DATETIME(0)"},
	} {
		there := mapped(t, mysql, c.mysql, postgres)
		back := mapped(t, postgres, there.Type, mysql)
		if there.Native != c.postgres || back.Native != c.back {
			t.Errorf("%+v is %s, and back %s, want %s and %s", c.mysql, there.Native, back.Native, c.postgres, c.back)
		}
	}
}

// The sample site is neutral and has the lengths of XMLDB.
func TestNeutralToMySQLIsXMLDB(t *testing.T) {
	for length, want := range map[int]string{1: "TINYINT(1)", 2: "TINYINT(2)", 3: "SMALLINT(3)", 4: "SMALLINT(4)", 5: "MEDIUMINT(5)",
		6: "MEDIUMINT(6)", 7: "INT(7)", 9: "INT(9)", 10: "BIGINT(10)", 20: "BIGINT(20)"} {
		size := map[bool]int{true: 8}[length > 9]
		for _, s := range []struct{ over, size int }{{0, 1}, {2, 2}, {4, 3}, {6, 4}, {9, 8}} {
			if length > s.over {
				size = s.size
			}
		}
		if got := mapped(t, "", typ{Kind: "int", Size: size, Length: length}, mysql).Native; got != want {
			t.Errorf("an int of length %d is %s, want %s", length, got, want)
		}
	}
}

func TestUnknownTypes(t *testing.T) {
	table := schema.Table{Name: "map", Dialect: postgres, Columns: []schema.Column{
		{Name: "id", Type: typ{Kind: "int", Size: 8}, Native: "bigint"},
		{Name: "at", Type: typ{Kind: "other"}, Native: "point"},
	}}
	m, err := New(Config{Unknown: "text"}).Table(t.Context(), table, mysql)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Notes) != 1 || m.Notes[0].Path != "db/map" || m.Notes[0].Text != "column at: point: a type of the source engine is stored as text" {
		t.Errorf("notes %v", m.Notes)
	}
	_, err = New(Config{Unknown: "refuse"}).Table(t.Context(), table, mysql)
	if failure.Of(err) != failure.Refused || err.Error() != "table map column at (other): mysql has no such type; set unknown: text in typemap to store it as text, or exclude the table" {
		t.Errorf("refuse gives class %v: %v", failure.Of(err), err)
	}
	table.Columns[1].Type.Kind = "hologram"
	if _, err = New(Config{}).Table(t.Context(), table, mysql); failure.Of(err) != failure.Refused {
		t.Errorf("a kind that no rule knows gives class %v: %v", failure.Of(err), err)
	}
	if _, err = New(Config{}).Table(t.Context(), table, "oracle"); err == nil {
		t.Errorf("a target that no rule knows: %v", err)
	}
}
