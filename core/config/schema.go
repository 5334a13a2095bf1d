package config

import (
	"slices"
	"strconv"
	"strings"
)

// Schema is a JSON Schema (draft 2020-12), or a part of one, with the keywords that
// settings need.
type Schema struct {
	Dialect       string             `json:"$schema,omitempty"`
	Title         string             `json:"title,omitempty"`
	Description   string             `json:"description,omitempty"`
	Type          string             `json:"type,omitempty"`
	Const         any                `json:"const,omitempty"`
	Enum          []string           `json:"enum,omitempty"`
	Pattern       string             `json:"pattern,omitempty"`
	Minimum       *int64             `json:"minimum,omitempty"`
	Maximum       *int64             `json:"maximum,omitempty"`
	MinItems      int                `json:"minItems,omitempty"`
	MinLength     int                `json:"minLength,omitempty"`
	MinProperties int                `json:"minProperties,omitempty"`
	Items         *Schema            `json:"items,omitempty"`
	Properties    map[string]*Schema `json:"properties,omitempty"`
	Required      []string           `json:"required,omitempty"`
	Others        any                `json:"additionalProperties,omitempty"` // false, or the *Schema of all other properties
	AnyOf         []*Schema          `json:"anyOf,omitempty"`
	OneOf         []*Schema          `json:"oneOf,omitempty"`
	AllOf         []*Schema          `json:"allOf,omitempty"`
	If            *Schema            `json:"if,omitempty"`
	Then          *Schema            `json:"then,omitempty"`
	Default       any                `json:"default,omitempty"`
	Examples      []string           `json:"examples,omitempty"`
	Ref           string             `json:"$ref,omitempty"`
	Defs          map[string]*Schema `json:"$defs,omitempty"`
	same          *Schema            // of an enclosing object of the same type: see Link
}

// reference matches a value with a reference, which any setting may have.
const reference = `\$\{[^}]+\}`

// Object returns the schema of a mapping with exactly these settings. If objects contain
// objects of their own type, call Link on the root of the complete document.
func Object(fields []Field) *Schema { return objectIn(fields, nil) }

// objectIn returns the schema of an object within others, listed outermost first.
func objectIn(fields []Field, around []*Schema) *Schema {
	s := &Schema{Type: "object", Properties: map[string]*Schema{}, Others: false}
	around = append(slices.Clip(around), s)
	for _, f := range fields {
		s.Properties[f.Name] = f.schema(around)
		if f.Required {
			s.Required = append(s.Required, f.Name)
		}
	}
	return s
}

// schema returns the schema of a setting's value.
func (f Field) schema(around []*Schema) *Schema {
	s := f.literal(around)
	if slices.Contains([]Type{Number, Switch, Bytes, Span}, f.Type) || f.Type == Text && len(f.OneOf) > 0 {
		s = &Schema{AnyOf: []*Schema{s, {Type: "string", Pattern: reference}}}
	}
	if s.same != nil {
		s = &Schema{AllOf: []*Schema{s}} // so that each use has its own description
	}
	s.Description = f.Help
	if f.Example != "" && f.scalar() {
		s.Examples = []string{f.Example}
	}
	if f.Default != "" {
		s.Default = f.written()
	}
	return s
}

func (f Field) scalar() bool {
	return !slices.Contains([]Type{List, Scalars, Texts, Keyring, Group, Groups, Named}, f.Type)
}

// one returns the schema of one object of a setting.
func (f Field) one(around []*Schema) *Schema {
	if f.Outer > 0 {
		return &Schema{same: around[len(around)-f.Outer]}
	}
	return objectIn(f.Fields, around)
}

func (f Field) literal(around []*Schema) *Schema {
	least := 0
	if f.Required {
		least = 1
	}
	switch f.Type {
	case Group:
		return f.one(around)
	case Groups:
		return &Schema{Type: "array", Items: f.one(around), MinItems: least}
	case Named:
		return &Schema{Type: "object", Others: f.one(around), MinProperties: least}
	case Texts, Keyring:
		return &Schema{Type: "object", Others: &Schema{Type: "string"}, MinProperties: least}
	case Scalar:
		return anyLiteral(f.OneOf)
	case Scalars:
		return &Schema{Type: "array", Items: anyLiteral(f.OneOf), MinItems: least}
	case Number:
		return &Schema{Type: "integer", Minimum: bound(f.Min), Maximum: bound(f.Max)}
	case Switch:
		return &Schema{Type: "boolean"}
	case Bytes:
		return &Schema{AnyOf: []*Schema{{Type: "integer", Minimum: bound("0")}, {Type: "string", Pattern: `^[0-9]+ *([KMGT]iB)?$`}}}
	case Span:
		return &Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`}
	case List:
		s := &Schema{Type: "array", Items: &Schema{Type: "string"}}
		if len(f.OneOf) > 0 {
			s.Items = &Schema{AnyOf: []*Schema{{Type: "string", Enum: f.OneOf}, {Type: "string", Pattern: reference}}}
		}
		s.MinItems = least
		return s
	case Anything:
		return &Schema{}
	}
	if f.booleans() {
		others := slices.DeleteFunc(slices.Clone(f.OneOf), func(one string) bool { return one == "true" || one == "false" })
		return &Schema{AnyOf: []*Schema{{Type: "boolean"}, {Type: "string", Enum: others}}}
	}
	return &Schema{Type: "string", Enum: f.OneOf, MinLength: least}
}

// anyLiteral returns the schema of a Literal.
func anyLiteral(oneOf []string) *Schema {
	s := &Schema{AnyOf: []*Schema{{Type: "string"}, {Type: "integer"}, {Type: "boolean"}}}
	if len(oneOf) > 0 {
		s.AnyOf[0] = &Schema{AnyOf: []*Schema{{Type: "string", Enum: oneOf}, {Type: "string", Pattern: reference}}}
	}
	return s
}

func bound(text string) *int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

// written returns the default as a JSON value.
func (f Field) written() any {
	switch f.Type {
	case Number:
		return bound(f.Default)
	case Switch:
		return f.Default == "true"
	case Text:
		if f.booleans() && (f.Default == "true" || f.Default == "false") {
			return f.Default == "true"
		}
	case List, Scalars:
		return strings.Fields(f.Default)
	}
	return f.Default
}

// booleans reports whether true and false are allowed values, which YAML reads as booleans.
func (f Field) booleans() bool {
	return f.Type == Text && slices.Contains(f.OneOf, "true") && slices.Contains(f.OneOf, "false")
}
