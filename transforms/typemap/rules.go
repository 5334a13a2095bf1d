package typemap

import (
	"slices"

	"github.com/lmsvault/vault/core/schema"
)

// Rules lists the rules by target. There are none for SQLite: a type keeps its
// logical kind there, and the dialect chooses what to declare.
//
// Integers, decimals, floats, char, text and binary are what Moodle's XMLDB
// creates (lib/ddl/mysql_sql_generator.php and postgres_sql_generator.php,
// getTypeSQL). Limits are those of the manuals: MySQL "Data Type Storage
// Requirements" and "Column Count and Row Size Limits", PostgreSQL "Data Types".
func Rules() []Rule { return slices.Concat(toPostgres(), toMySQL()) }

func toPostgres() []Rule {
	const to = "postgres"
	var (
		text = schema.Type{Kind: schema.Text}
		char = schema.Type{Kind: schema.Char}
	)
	return []Rule{
		{To: to, Kind: schema.Int, Size: 1, Native: "SMALLINT", Type: integer(2), Remark: "also TINYINT(1): Moodle stores 0 and 1 as numbers"},
		{To: to, Kind: schema.Int, Size: 1, Unsigned: true, Native: "SMALLINT", Type: integer(2)},
		{To: to, Kind: schema.Int, Size: 2, Native: "SMALLINT", Type: integer(2)},
		{To: to, Kind: schema.Int, Size: 2, Unsigned: true, Native: "INTEGER", Type: integer(4)},
		{To: to, Kind: schema.Int, Size: 3, Native: "INTEGER", Type: integer(4)},
		{To: to, Kind: schema.Int, Size: 3, Unsigned: true, Native: "INTEGER", Type: integer(4)},
		{To: to, Kind: schema.Int, Size: 4, Native: "INTEGER", Type: integer(4)},
		{To: to, Kind: schema.Int, Size: 4, Unsigned: true, Native: "BIGINT", Type: integer(8)},
		{To: to, Kind: schema.Int, Size: 8, Native: "BIGINT", Type: integer(8)},
		{To: to, Kind: schema.Int, Size: 8, Unsigned: true, Native: "NUMERIC(20,0)", Type: schema.Type{Kind: schema.Decimal, Length: 20}, Remark: "a column with a sequence becomes BIGINT"},
		{To: to, Kind: schema.Decimal, Max: 1000, MaxScale: 1000, Native: "NUMERIC({length},{scale})", Type: schema.Type{Kind: schema.Decimal}},
		{To: to, Kind: schema.Decimal, Native: "NUMERIC", Type: schema.Type{Kind: schema.Decimal}},
		{To: to, Kind: schema.Float, Size: 4, Native: "REAL", Type: schema.Type{Kind: schema.Float, Size: 4}},
		{To: to, Kind: schema.Float, Size: 8, Native: "DOUBLE PRECISION", Type: schema.Type{Kind: schema.Float, Size: 8}},
		{To: to, Kind: schema.Bool, Native: "BOOLEAN", Type: schema.Type{Kind: schema.Bool}},
		{To: to, Kind: schema.Char, Fixed: true, Max: 10485760, Native: "CHAR({length})", Type: schema.Type{Kind: schema.Char, Fixed: true}},
		{To: to, Kind: schema.Char, Max: 10485760, Native: "VARCHAR({length})", Type: char},
		{To: to, Kind: schema.Char, Native: "TEXT", Type: text},
		{To: to, Kind: schema.Text, Native: "TEXT", Type: text},
		{To: to, Kind: schema.Binary, Native: "BYTEA", Type: schema.Type{Kind: schema.Binary}},
		{To: to, Kind: schema.Bit, Native: "BIT({length})", Type: schema.Type{Kind: schema.Bit, Length: 1}},
		{To: to, Kind: schema.Date, Native: "DATE", Type: schema.Type{Kind: schema.Date}, Remark: "rows with a zero date are rejected"},
		{To: to, Kind: schema.Time, Native: "VARCHAR(17)", Type: schema.Type{Kind: schema.Char, Length: 17}, Remark: "MySQL's range is -838:59:59 to 838:59:59, that of TIME only 0 to 24 hours"},
		{To: to, Kind: schema.DateTime, Native: "TIMESTAMP({scale})", Type: schema.Type{Kind: schema.DateTime}, Remark: "rows with a zero date are rejected"},
		{To: to, Kind: schema.Timestamp, Native: "TIMESTAMPTZ({scale})", Type: schema.Type{Kind: schema.Timestamp}, Remark: "rows with a zero date are rejected"},
		{To: to, Kind: schema.Year, Native: "SMALLINT", Type: integer(2), Cell: YearToInt},
		{To: to, Kind: schema.JSON, Native: "JSON", Type: schema.Type{Kind: schema.JSON}, Remark: "not JSONB, which would rewrite the text"},
		{To: to, Kind: schema.Enum, Max: 10485760, Native: "VARCHAR({length})", Type: char, Remark: "as long as the longest value"},
		{To: to, Kind: schema.Enum, Native: "TEXT", Type: text},
		{To: to, Kind: schema.Set, Max: 10485760, Native: "VARCHAR({length})", Type: char, Remark: "as long as all values with commas between"},
		{To: to, Kind: schema.Set, Native: "TEXT", Type: text},
		{To: to, Kind: schema.UUID, Native: "UUID", Type: schema.Type{Kind: schema.UUID}},
		{To: to, Kind: schema.Other, Native: "TEXT", Type: text, AsText: true, Remark: "a type of the source engine is stored as text"},
	}
}

func toMySQL() []Rule {
	const to = "mysql"
	var (
		text = schema.Type{Kind: schema.Text}
		char = schema.Type{Kind: schema.Char}
	)
	// A longer VARCHAR would exceed 65,535 bytes in utf8mb4.
	const varchar = 16383
	rules := []Rule{}
	// Display lengths for columns that come without: the largest that XMLDB has for the type.
	for _, i := range []struct {
		name         string
		size, length int
	}{{"TINYINT", 1, 2}, {"SMALLINT", 2, 4}, {"MEDIUMINT", 3, 6}, {"INT", 4, 9}, {"BIGINT", 8, 10}} {
		as := integer(i.size)
		as.Length = i.length
		rules = append(rules, Rule{To: to, Kind: schema.Int, Size: i.size, Native: i.name + "({length})", Type: as})
		as.Unsigned = true
		rules = append(rules, Rule{To: to, Kind: schema.Int, Size: i.size, Unsigned: true, Native: i.name + "({length}) UNSIGNED", Type: as})
	}
	return append(rules, []Rule{
		{To: to, Kind: schema.Decimal, Max: 65, MaxScale: 30, Native: "DECIMAL({length},{scale})", Type: schema.Type{Kind: schema.Decimal}, Remark: "rows with NaN or Infinity are rejected"},
		{To: to, Kind: schema.Decimal, Native: "LONGTEXT", Type: text, AsText: true, Remark: "DECIMAL needs a precision of at most 65 digits, 30 of them after the point: stored as text"},
		{To: to, Kind: schema.Float, Size: 4, Native: "FLOAT", Type: schema.Type{Kind: schema.Float, Size: 4}, Remark: "rows with NaN or Infinity are rejected"},
		{To: to, Kind: schema.Float, Size: 8, Native: "DOUBLE", Type: schema.Type{Kind: schema.Float, Size: 8}, Remark: "rows with NaN or Infinity are rejected"},
		{To: to, Kind: schema.Bool, Native: "TINYINT(1)", Type: schema.Type{Kind: schema.Int, Size: 1, Length: 1}, Cell: BoolToInt},
		{To: to, Kind: schema.Char, Fixed: true, Max: 255, Native: "CHAR({length})", Type: schema.Type{Kind: schema.Char, Fixed: true}},
		{To: to, Kind: schema.Char, Max: varchar, Native: "VARCHAR({length})", Type: char},
		{To: to, Kind: schema.Char, Native: "LONGTEXT", Type: text},
		{To: to, Kind: schema.Text, Native: "LONGTEXT", Type: text},
		{To: to, Kind: schema.Binary, Fixed: true, Max: 255, Native: "BINARY({length})", Type: schema.Type{Kind: schema.Binary, Fixed: true}},
		{To: to, Kind: schema.Binary, Max: varchar, Native: "VARBINARY({length})", Type: schema.Type{Kind: schema.Binary}},
		{To: to, Kind: schema.Binary, Native: "LONGBLOB", Type: schema.Type{Kind: schema.Binary}},
		{To: to, Kind: schema.Bit, Max: 64, Native: "BIT({length})", Type: schema.Type{Kind: schema.Bit}},
		{To: to, Kind: schema.Bit, Native: "LONGTEXT", Type: text, AsText: true, Remark: "BIT has at most 64 bits: stored as text of 0 and 1"},
		{To: to, Kind: schema.Date, Native: "DATE", Type: schema.Type{Kind: schema.Date}, Remark: "rows with infinity or years outside of 0 to 9999 are rejected"},
		{To: to, Kind: schema.Time, Native: "TIME({scale})", Type: schema.Type{Kind: schema.Time}},
		{To: to, Kind: schema.DateTime, Native: "DATETIME({scale})", Type: schema.Type{Kind: schema.DateTime}, Remark: "rows with infinity or years outside of 0 to 9999 are rejected"},
		{To: to, Kind: schema.Timestamp, Native: "DATETIME({scale})", Type: schema.Type{Kind: schema.DateTime}, Remark: "in UTC; TIMESTAMP would end in 2038"},
		{To: to, Kind: schema.Year, Native: "YEAR", Type: schema.Type{Kind: schema.Year}},
		{To: to, Kind: schema.JSON, Native: "LONGTEXT", Type: text, Remark: "MySQL's JSON would rewrite the text"},
		{To: to, Kind: schema.Enum, Max: varchar, Native: "VARCHAR({length})", Type: char, Remark: "as long as the longest value"},
		{To: to, Kind: schema.Enum, Native: "LONGTEXT", Type: text},
		{To: to, Kind: schema.Set, Max: varchar, Native: "VARCHAR({length})", Type: char, Remark: "as long as all values with commas between"},
		{To: to, Kind: schema.Set, Native: "LONGTEXT", Type: text},
		{To: to, Kind: schema.UUID, Native: "CHAR(36)", Type: schema.Type{Kind: schema.Char, Length: 36, Fixed: true}},
		{To: to, Kind: schema.Other, Native: "LONGTEXT", Type: text, AsText: true, Remark: "a type of the source engine is stored as text"},
	}...)
}

func integer(size int) schema.Type { return schema.Type{Kind: schema.Int, Size: size} }
