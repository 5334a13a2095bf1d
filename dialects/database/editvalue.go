package database

import (
	"encoding/hex"
	"strings"

	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/schema"
)

// editable reports whether Database.value returns the canonical text of values of a kind on
// every engine, which finds them again.
func editable(k schema.Kind) bool {
	switch k {
	case schema.Int, schema.Char, schema.Text, schema.Bool, schema.Enum, schema.UUID, schema.JSON, schema.Binary:
		return true
	}
	return false
}

// ordered reports whether every engine orders values of a kind as it compares them with a
// text.
func ordered(k schema.Kind) bool {
	switch k {
	case schema.Int, schema.Char, schema.Text, schema.UUID, schema.Binary:
		return true
	}
	return false
}

// value returns the canonical value of a column for what the engine printed.
func (d *Database) value(c schema.Column, text Text) edit.Value {
	if !text.Valid {
		return edit.Value{Null: true}
	}
	if c.Type.Kind == schema.Binary && d.Dialect() != "postgres" {
		return edit.Value{Text: `\x` + hex.EncodeToString([]byte(text.String))}
	}
	return edit.Value{Text: text.String}
}

// argument returns what a statement gets for a value of a column.
func (d *Database) argument(c schema.Column, v edit.Value) any {
	if v.Null {
		return nil
	}
	if c.Type.Kind == schema.Binary && d.Dialect() != "postgres" {
		if raw, err := hex.DecodeString(strings.TrimPrefix(v.Text, `\x`)); err == nil {
			return raw
		}
	}
	return v.Text
}

// exactly returns the condition that a column has a value byte for byte: texts that differ
// in case or accents are equal in many collations.
func (d *Database) exactly(c schema.Column) string {
	name := d.Quote(c.Name)
	switch text := c.Type.Kind == schema.Char || c.Type.Kind == schema.Text; {
	case text && d.Dialect() == "mysql":
		return "CAST(CONVERT(" + name + " USING utf8mb4) AS BINARY) = CAST(? AS BINARY)"
	case d.Dialect() == "postgres":
		return name + "::text = ?" // json has no equality
	case text:
		return name + " = ? COLLATE BINARY"
	}
	return name + " = ?"
}
