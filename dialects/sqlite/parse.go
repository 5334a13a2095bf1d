package sqlite

import (
	"maps"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// ParseType derives the logical type from a declared one: those of DeclaredType, the
// usual SQL types, and any other by SQLite's affinity rules. Any text is a valid
// type.
func ParseType(declared string) schema.Type {
	name, args, rest := split(declared)
	n, m := number(args, 0), number(args, 1)
	name, unsigned := strings.CutSuffix(strings.TrimSpace(name+" "+rest), " UNSIGNED")
	for size, word := range integers {
		if name == word {
			return schema.Type{Kind: schema.Int, Size: size, Length: n, Unsigned: unsigned}
		}
	}
	switch name {
	case "DECIMAL", "DECIMAL_TEXT", "NUMERIC":
		if n == 0 {
			m = 0
		}
		return schema.Type{Kind: schema.Decimal, Length: n, Scale: m}
	case "FLOAT":
		return schema.Type{Kind: schema.Float, Size: 4}
	case "BOOLEAN", "BOOL":
		return schema.Type{Kind: schema.Bool}
	case "VARCHAR", "CHAR", "NVARCHAR", "NCHAR":
		return schema.Type{Kind: schema.Char, Length: n, Fixed: strings.TrimPrefix(name, "N") == "CHAR"}
	case "BLOB", "BLOB_FIXED":
		return schema.Type{Kind: schema.Binary, Length: n, Fixed: name == "BLOB_FIXED"}
	case "ENUM_TEXT":
		return schema.Type{Kind: schema.Enum, Values: values(args)}
	case "SET_TEXT":
		return schema.Type{Kind: schema.Set, Values: values(args)}
	case "TEXT", "BIT_TEXT":
		kind := schema.Text
		if name == "BIT_TEXT" {
			kind = schema.Bit
		}
		return schema.Type{Kind: kind, Length: n}
	case "TIME_TEXT", "DATETIME_TEXT", "TIMESTAMP_TEXT", "DATE_TEXT", "YEAR_TEXT", "JSON_TEXT", "UUID_TEXT", "OTHER_TEXT":
		for kind, word := range maps.All(words) {
			if word == name {
				t := schema.Type{Kind: kind}
				if kind == schema.Time || kind == schema.DateTime || kind == schema.Timestamp {
					t.Scale = n
				}
				return t
			}
		}
	case "DATE", "DATETIME", "TIMESTAMP", "TIME", "": // SQLite has no such types; the values are text
		return schema.Type{Kind: schema.Text}
	}
	return byAffinity(strings.ToUpper(declared))
}

// byAffinity applies SQLite's affinity rules to a declared type.
func byAffinity(declared string) schema.Type {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(declared, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("INT"):
		return schema.Type{Kind: schema.Int, Size: 8}
	case has("CHAR", "CLOB", "TEXT"):
		return schema.Type{Kind: schema.Text}
	case has("BLOB"):
		return schema.Type{Kind: schema.Binary}
	case has("REAL", "FLOA", "DOUB"):
		return schema.Type{Kind: schema.Float, Size: 8}
	}
	return schema.Type{Kind: schema.Decimal}
}

// split splits NAME(ARGS)REST; NAME and REST are returned in upper case.
func split(declared string) (name, args, rest string) {
	name, after, ok := strings.Cut(declared, "(")
	if ok {
		end := strings.LastIndex(after, ")")
		if end < 0 {
			end = len(after)
		}
		args, rest = after[:end], strings.TrimPrefix(after[end:], ")")
	}
	return strings.Join(strings.Fields(strings.ToUpper(name)), " "), args, strings.Join(strings.Fields(strings.ToUpper(rest)), " ")
}

// number returns the n-th argument; 0 if there is none or it is not a sensible
// length.
func number(args string, n int) int {
	parts := strings.Split(args, ",")
	if n >= len(parts) {
		return 0
	}
	v, err := strconv.Atoi(strings.TrimSpace(parts[n]))
	if err != nil || v < 0 || v > 1<<31-1 {
		return 0
	}
	return v
}

// values parses comma-separated quoted texts; nil for anything else.
func values(args string) []string {
	var list []string
	for {
		if !strings.HasPrefix(args, "'") {
			return nil
		}
		value := ""
		for args = args[1:]; ; {
			at := strings.IndexByte(args, '\'')
			if at < 0 {
				return nil
			}
			value += args[:at]
			if args = args[at+1:]; !strings.HasPrefix(args, "'") {
				break
			}
			value, args = value+"'", args[1:]
		}
		list = append(list, value)
		if args == "" {
			return list
		}
		if args[0] != ',' {
			return nil
		}
		args = args[1:]
	}
}
