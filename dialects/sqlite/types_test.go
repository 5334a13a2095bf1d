package sqlite

import (
	"fmt"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/lmsvault/vault/core/schema"
)

// vocabulary lists every logical type with its declaration and SQLite's affinity for
// it.
var vocabulary = []struct {
	t        schema.Type
	declared string
	affinity string
}{
	{schema.Type{Kind: schema.Int, Size: 1, Length: 2}, "TINYINT(2)", "integer"},
	{schema.Type{Kind: schema.Int, Size: 2, Unsigned: true}, "SMALLINT UNSIGNED", "integer"},
	{schema.Type{Kind: schema.Int, Size: 3, Length: 6}, "MEDIUMINT(6)", "integer"},
	{schema.Type{Kind: schema.Int, Size: 4}, "INT", "integer"},
	{schema.Type{Kind: schema.Int, Size: 8, Length: 10}, "BIGINT(10)", "integer"},
	{schema.Type{Kind: schema.Int, Size: 8, Length: 20, Unsigned: true}, "BIGINT UNSIGNED(20)", "integer"},
	{schema.Type{Kind: schema.Decimal, Length: 10, Scale: 5}, "DECIMAL(10,5)", "numeric"},
	{schema.Type{Kind: schema.Decimal, Length: 15}, "DECIMAL(15,0)", "numeric"},
	{schema.Type{Kind: schema.Decimal, Length: 16, Scale: 2}, "DECIMAL_TEXT(16,2)", "text"},
	{schema.Type{Kind: schema.Decimal, Length: 38, Scale: 18}, "DECIMAL_TEXT(38,18)", "text"},
	{schema.Type{Kind: schema.Decimal}, "DECIMAL_TEXT", "text"},
	{schema.Type{Kind: schema.Float, Size: 4}, "FLOAT", "real"},
	{schema.Type{Kind: schema.Float, Size: 8}, "DOUBLE", "real"},
	{schema.Type{Kind: schema.Bool}, "BOOLEAN", "numeric"},
	{schema.Type{Kind: schema.Char, Length: 1333}, "VARCHAR(1333)", "text"},
	{schema.Type{Kind: schema.Char, Length: 10, Fixed: true}, "CHAR(10)", "text"},
	{schema.Type{Kind: schema.Char}, "VARCHAR", "text"},
	{schema.Type{Kind: schema.Text}, "TEXT", "text"},
	{schema.Type{Kind: schema.Text, Length: 65535}, "TEXT(65535)", "text"},
	{schema.Type{Kind: schema.Binary}, "BLOB", "blob"},
	{schema.Type{Kind: schema.Binary, Length: 255}, "BLOB(255)", "blob"},
	{schema.Type{Kind: schema.Binary, Length: 16, Fixed: true}, "BLOB_FIXED(16)", "blob"},
	{schema.Type{Kind: schema.Bit, Length: 8}, "BIT_TEXT(8)", "text"},
	{schema.Type{Kind: schema.Date}, "DATE_TEXT", "text"},
	{schema.Type{Kind: schema.Time, Scale: 3}, "TIME_TEXT(3)", "text"},
	{schema.Type{Kind: schema.DateTime}, "DATETIME_TEXT", "text"},
	{schema.Type{Kind: schema.DateTime, Scale: 6}, "DATETIME_TEXT(6)", "text"},
	{schema.Type{Kind: schema.Timestamp, Scale: 6}, "TIMESTAMP_TEXT(6)", "text"},
	{schema.Type{Kind: schema.Year}, "YEAR_TEXT", "text"},
	{schema.Type{Kind: schema.JSON}, "JSON_TEXT", "text"},
	{schema.Type{Kind: schema.UUID}, "UUID_TEXT", "text"},
	{schema.Type{Kind: schema.Other}, "OTHER_TEXT", "text"},
	{schema.Type{Kind: schema.Enum}, "ENUM_TEXT", "text"},
	{schema.Type{Kind: schema.Enum, Values: []string{"a", "it's", "x,y", "point", ""}}, "ENUM_TEXT('a','it''s','x,y','point','')", ""},
	{schema.Type{Kind: schema.Set, Values: []string{"int"}}, "SET_TEXT('int')", ""},
}

func TestVocabularyReadsBack(t *testing.T) {
	for _, v := range vocabulary {
		if got := DeclaredType(v.t); got != v.declared {
			t.Errorf("%+v is declared as %s, not %s", v.t, got, v.declared)
		}
		if got := ParseType(v.declared); !reflect.DeepEqual(got, v.t) {
			t.Errorf("%s reads as %+v, not %+v", v.declared, got, v.t)
		}
	}
}

// The affinity of a declared type is the one that SQLite applies, as the stored form
// of the text 1.50 shows.
func TestAffinityMatchesVocabulary(t *testing.T) {
	c := create(t)
	becomes := map[string]string{"integer": "real 1.5", "numeric": "real 1.5", "real": "real 1.5", "text": "text 1.50", "blob": "text 1.50"}
	for i, v := range vocabulary {
		if v.affinity == "" {
			continue
		}
		table := fmt.Sprintf("t%d", i)
		run(t, c, "CREATE TABLE "+table+" (x "+v.declared+")", "INSERT INTO "+table+" VALUES ('1.50')")
		got, err := c.Query(t.Context(), "SELECT typeof(x) || ' ' || x FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		if got[0][0] != becomes[v.affinity] {
			t.Errorf("in a column of %s the text 1.50 becomes %v", v.declared, got[0][0])
		}
	}
}

func TestTypesOfOtherPrograms(t *testing.T) {
	for declared, want := range map[string]schema.Type{
		"":                   {Kind: schema.Text},
		"integer":            {Kind: schema.Int, Size: 8},
		"INT8":               {Kind: schema.Int, Size: 8},
		"FLOATING POINT":     {Kind: schema.Int, Size: 8}, // it contains INT
		"varchar( 20 )":      {Kind: schema.Char, Length: 20},
		"CHARACTER VARYING":  {Kind: schema.Text},
		"CLOB":               {Kind: schema.Text},
		"MYBLOB":             {Kind: schema.Binary},
		"double precision":   {Kind: schema.Float, Size: 8},
		"REAL":               {Kind: schema.Float, Size: 8},
		"NUMERIC(12, 2)":     {Kind: schema.Decimal, Length: 12, Scale: 2},
		"NUMERIC":            {Kind: schema.Decimal},
		"DATETIME":           {Kind: schema.Text},
		"bool":               {Kind: schema.Bool},
		"MONEY":              {Kind: schema.Decimal},
		"BIGINT(20)UNSIGNED": {Kind: schema.Int, Size: 8, Length: 20, Unsigned: true},
		"DECIMAL(":           {Kind: schema.Decimal},
		"VARCHAR(-1)":        {Kind: schema.Char},
		"ENUM_TEXT('a' 'b')": {Kind: schema.Enum},
	} {
		if got := ParseType(declared); !reflect.DeepEqual(got, want) {
			t.Errorf("%q reads as %+v, not %+v", declared, got, want)
		}
	}
}

// Whatever a type was declared as, Vault's declaration for it is parsed to the same
// type.
func FuzzParseType(f *testing.F) {
	for _, v := range vocabulary {
		f.Add(v.declared)
	}
	f.Add("UNSIGNED BIG INT")
	f.Add("ENUM_TEXT('")
	f.Fuzz(func(t *testing.T, declared string) {
		first := ParseType(declared)
		if again := ParseType(DeclaredType(first)); !reflect.DeepEqual(again, first) {
			t.Errorf("%q reads as %+v, which is declared as %s and reads as %+v", declared, first, DeclaredType(first), again)
		}
	})
}

func create(t *testing.T) *Conn {
	t.Helper()
	c, err := Open(t.Context(), filepath.Join(t.TempDir(), "db"), Create)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func run(t *testing.T, c *Conn, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if err := c.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}
