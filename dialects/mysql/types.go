package mysql

import (
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// ParseType parses a type as information_schema.COLUMNS.COLUMN_TYPE spells it:
// "bigint(10) unsigned", "enum('a','b')". A type without a logical type is
// schema.Other.
func ParseType(columnType string) schema.Type {
	name := columnType
	if i := strings.IndexAny(name, " ("); i >= 0 {
		name = name[:i]
	}
	rest := columnType[len(name):]
	args, attributes := "", rest
	if strings.HasPrefix(rest, "(") {
		end := strings.LastIndexByte(rest, ')')
		if end > 0 {
			args, attributes = rest[1:end], rest[end+1:]
		}
	}
	t := schema.Type{Unsigned: strings.Contains(attributes, "unsigned")}
	switch name {
	case "tinyint":
		t.Kind, t.Size, t.Length = schema.Int, 1, number(args)
	case "smallint":
		t.Kind, t.Size, t.Length = schema.Int, 2, number(args)
	case "mediumint":
		t.Kind, t.Size, t.Length = schema.Int, 3, number(args)
	case "int":
		t.Kind, t.Size, t.Length = schema.Int, 4, number(args)
	case "bigint":
		t.Kind, t.Size, t.Length = schema.Int, 8, number(args)
	case "decimal":
		length, scale, _ := strings.Cut(args, ",")
		t.Kind, t.Length, t.Scale = schema.Decimal, number(length), number(scale)
	case "float":
		t.Kind, t.Size = schema.Float, 4
	case "double":
		t.Kind, t.Size = schema.Float, 8
	case "char":
		t.Kind, t.Length, t.Fixed = schema.Char, number(args), true
	case "varchar":
		t.Kind, t.Length = schema.Char, number(args)
	case "tinytext":
		t.Kind, t.Length = schema.Text, 1<<8-1
	case "text":
		t.Kind, t.Length = schema.Text, 1<<16-1
	case "mediumtext":
		t.Kind, t.Length = schema.Text, 1<<24-1
	case "longtext":
		t.Kind = schema.Text
	case "binary":
		t.Kind, t.Length, t.Fixed = schema.Binary, number(args), true
	case "varbinary":
		t.Kind, t.Length = schema.Binary, number(args)
	case "tinyblob":
		t.Kind, t.Length = schema.Binary, 1<<8-1
	case "blob":
		t.Kind, t.Length = schema.Binary, 1<<16-1
	case "mediumblob":
		t.Kind, t.Length = schema.Binary, 1<<24-1
	case "longblob":
		t.Kind = schema.Binary
	case "bit":
		t.Kind, t.Length = schema.Bit, max(number(args), 1)
	case "date":
		t.Kind = schema.Date
	case "time":
		t.Kind, t.Scale = schema.Time, number(args)
	case "datetime":
		t.Kind, t.Scale = schema.DateTime, number(args)
	case "timestamp":
		t.Kind, t.Scale = schema.Timestamp, number(args)
	case "year":
		t.Kind = schema.Year
	case "json":
		t.Kind = schema.JSON
	case "enum":
		t.Kind, t.Values = schema.Enum, literals(args)
	case "set":
		t.Kind, t.Values = schema.Set, literals(args)
	case "uuid":
		t.Kind = schema.UUID
	default:
		t.Kind = schema.Other
	}
	return t
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0 // no length given
	}
	return n
}

// literals parses 'a','b','it”s'.
func literals(s string) []string {
	var values []string
	for {
		value, rest, ok := unquote(s)
		if !ok {
			return values
		}
		values = append(values, value)
		s = strings.TrimPrefix(rest, ",")
	}
}

// asHex reports whether the values of a column are bytes without a character set:
// binary columns, and types that are transferred in the server's internal format.
func asHex(c *schema.Column) bool {
	if c.Type.Kind == schema.Binary {
		return true
	}
	if c.Type.Kind != schema.Other {
		return false
	}
	switch baseName(c.Native) {
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection", "vector":
		return true
	}
	return false
}

func isFloat4(c *schema.Column) bool { return c.Type.Kind == schema.Float && c.Type.Size == 4 }

func baseName(native string) string {
	name := strings.ToLower(native)
	if i := strings.IndexAny(name, " ("); i >= 0 {
		name = name[:i]
	}
	return name
}
