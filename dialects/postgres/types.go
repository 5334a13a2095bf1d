package postgres

import "github.com/lmsvault/vault/core/schema"

// typeInfo is a row of pg_type together with the column's attributes.
type typeInfo struct {
	Name     string // pg_type.typname
	System   bool   // in pg_catalog
	Type     string // pg_type.typtype
	Category string // pg_type.typcategory
	Modifier int    // pg_attribute.atttypmod, -1 for none
	Values   []string
}

// logical returns the logical type of a column. Modifiers are encoded as by the
// types' typmodin functions.
func (t typeInfo) logical() schema.Type {
	if t.Type == "e" {
		return schema.Type{Kind: schema.Enum, Values: t.Values}
	}
	if !t.System {
		if t.Category == "S" && t.Type == "b" { // citext
			return schema.Type{Kind: schema.Text}
		}
		return schema.Type{Kind: schema.Other}
	}
	fraction := t.Modifier
	if fraction < 0 {
		fraction = 6
	}
	switch t.Name {
	case "bool":
		return schema.Type{Kind: schema.Bool}
	case "int2":
		return schema.Type{Kind: schema.Int, Size: 2}
	case "int4":
		return schema.Type{Kind: schema.Int, Size: 4}
	case "int8":
		return schema.Type{Kind: schema.Int, Size: 8}
	case "float4":
		return schema.Type{Kind: schema.Float, Size: 4}
	case "float8":
		return schema.Type{Kind: schema.Float, Size: 8}
	case "numeric":
		return decimal(t.Modifier)
	case "varchar":
		if t.Modifier < 0 {
			return schema.Type{Kind: schema.Text}
		}
		return schema.Type{Kind: schema.Char, Length: t.Modifier - 4}
	case "bpchar":
		if t.Modifier < 0 {
			return schema.Type{Kind: schema.Text}
		}
		return schema.Type{Kind: schema.Char, Length: t.Modifier - 4, Fixed: true}
	case "text":
		return schema.Type{Kind: schema.Text}
	case "name":
		return schema.Type{Kind: schema.Text, Length: 63}
	case "bytea":
		return schema.Type{Kind: schema.Binary}
	case "bit":
		return schema.Type{Kind: schema.Bit, Length: max(t.Modifier, 1)}
	case "date":
		return schema.Type{Kind: schema.Date}
	case "time":
		return schema.Type{Kind: schema.Time, Scale: fraction}
	case "timestamp":
		return schema.Type{Kind: schema.DateTime, Scale: fraction}
	case "timestamptz":
		return schema.Type{Kind: schema.Timestamp, Scale: fraction}
	case "json", "jsonb":
		return schema.Type{Kind: schema.JSON}
	case "uuid":
		return schema.Type{Kind: schema.UUID}
	}
	return schema.Type{Kind: schema.Other}
}

// decimal decodes precision and scale. The scale is a signed 11-bit number; a
// negative one means zeros before the point.
func decimal(modifier int) schema.Type {
	if modifier < 0 {
		return schema.Type{Kind: schema.Decimal}
	}
	precision := (modifier - 4) >> 16 & 0xffff
	scale := ((modifier-4)&0x7ff ^ 1024) - 1024
	if scale < 0 {
		return schema.Type{Kind: schema.Decimal, Length: precision - scale}
	}
	return schema.Type{Kind: schema.Decimal, Length: precision, Scale: scale}
}
