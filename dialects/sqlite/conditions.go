package sqlite

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/schema"
)

// Conditions implements selection.Dialect.
type Conditions struct{}

// In compares texts byte by byte. An integer beyond SQLite's range is stored as a
// blob of its digits, see AppendCell.
func (Conditions) In(c *schema.Column, values []string) string {
	list := make([]string, len(values))
	for i, v := range values {
		switch _, err := strconv.ParseInt(v, 10, 64); {
		case c.Type.Kind == schema.Bool && v == "true":
			list[i] = "1"
		case c.Type.Kind == schema.Bool:
			list[i] = "0"
		case c.Type.Kind == schema.Int && err == nil:
			list[i] = v
		case c.Type.Kind == schema.Int:
			list[i] = "x'" + hex.EncodeToString([]byte(v)) + "'"
		default:
			list[i] = quoteText(v)
		}
	}
	column := Quote(c.Name)
	if c.Type.Kind != schema.Int && c.Type.Kind != schema.Bool {
		column = textOfColumn(c)
	}
	return column + " IN (" + strings.Join(list, ", ") + ")"
}

// Prefix compares characters, which are equal if their bytes are.
func (Conditions) Prefix(c *schema.Column, prefix string) string {
	return "substr(" + textOfColumn(c) + ", 1, " + strconv.Itoa(utf8.RuneCountInString(prefix)) + ") = " + quoteText(prefix)
}

// Null writes IS NULL.
func (Conditions) Null(c *schema.Column) string { return Quote(c.Name) + " IS NULL" }

func textOfColumn(c *schema.Column) string {
	return "(CAST(" + Quote(c.Name) + " AS TEXT) COLLATE BINARY)"
}

func quoteText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
