package mysql

import (
	"encoding/hex"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// Conditions implements selection.Dialect.
type Conditions struct{}

// In compares texts as bytes of UTF-8: a collation could treat "a" as "A" and ignore
// trailing spaces.
func (Conditions) In(c *schema.Column, values []string) string {
	list := make([]string, len(values))
	if c.Type.Kind == schema.Int || c.Type.Kind == schema.Bool {
		return Ident(c.Name) + " IN (" + strings.Join(values, ", ") + ")"
	}
	for i, v := range values {
		list[i] = hexText(v)
	}
	return bytesOf(c) + " IN (" + strings.Join(list, ", ") + ")"
}

// Prefix also compares bytes.
func (Conditions) Prefix(c *schema.Column, prefix string) string {
	literal := hexText(prefix)
	return "SUBSTRING(" + bytesOf(c) + ", 1, LENGTH(" + literal + ")) = " + literal
}

// Null writes IS NULL.
func (Conditions) Null(c *schema.Column) string { return Ident(c.Name) + " IS NULL" }

func bytesOf(c *schema.Column) string {
	return "CAST(CONVERT(" + Ident(c.Name) + " USING utf8mb4) AS BINARY)"
}

func hexText(s string) string { return "x'" + hex.EncodeToString([]byte(s)) + "'" }
