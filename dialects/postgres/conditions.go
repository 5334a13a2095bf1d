package postgres

import (
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// Conditions implements selection.Dialect.
type Conditions struct{}

// In compares texts byte by byte: a collation may treat different texts as equal.
func (Conditions) In(c *schema.Column, values []string) string {
	if c.Type.Kind == schema.Int || c.Type.Kind == schema.Bool {
		return Ident(c.Name) + " IN (" + strings.Join(values, ", ") + ")"
	}
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = Literal(v)
	}
	return bytesOf(c) + " IN (" + strings.Join(list, ", ") + ")"
}

// Prefix also compares bytes.
func (Conditions) Prefix(c *schema.Column, prefix string) string {
	return "starts_with(" + bytesOf(c) + ", " + Literal(prefix) + ")"
}

// Null writes IS NULL.
func (Conditions) Null(c *schema.Column) string { return Ident(c.Name) + " IS NULL" }

func bytesOf(c *schema.Column) string { return "(" + Ident(c.Name) + `::text COLLATE "C")` }
