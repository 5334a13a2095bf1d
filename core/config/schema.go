package config

import (
	"slices"
	"strconv"
	"strings"
)

// Schema is a JSON Schema (draft 2020-12) or a part of one: as much as settings need.
type Schema struct {
	Dialect     string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Type        string             `json:"type,omitempty"`
	Const       any                `json:"const,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	Minimum     *int64             `json:"minimum,omitempty"`
	Maximum     *int64             `json:"maximum,omitempty"`
	MinItems    int                `json:"minItems,omitempty"`
	MinLength   int                `json:"minLength,omitempty"`
	Items       *Schema            `json:"items,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Closed      *bool              `json:"additionalProperties,omitempty"` // points to false where no other properties may be
	AnyOf       []*Schema          `json:"anyOf,omitempty"`
	OneOf       []*Schema          `json:"oneOf,omitempty"`
	AllOf       []*Schema          `json:"allOf,omitempty"`
	If          *Schema            `json:"if,omitempty"`
	Then        *Schema            `json:"then,omitempty"`
	Default     any                `json:"default,omitempty"`
	Examples    []string           `json:"examples,omitempty"`
	Ref         string             `json:"$ref,omitempty"`
	Defs        map[string]*Schema `json:"$defs,omitempty"`
}

// reference matches a value with a reference, which any setting may have.
const reference = `\$\{[^}]+\}`

// Object describes settings as a mapping that holds no others.
func Object(fields []Field) *Schema {
	closed := false
	s := &Schema{Type: "object", Properties: map[string]*Schema{}, Closed: &closed}
	for _, f := range fields {
		s.Properties[f.Name] = f.Schema()
		if f.Required {
			s.Required = append(s.Required, f.Name)
		}
	}
	return s
}

// Schema describes the value of a setting.
func (f Field) Schema() *Schema {
	s := f.literal()
	if f.Type != Text && f.Type != Hidden && f.Type != List && f.Type != Anything || f.Type == Text && len(f.OneOf) > 0 {
		s = &Schema{AnyOf: []*Schema{s, {Type: "string", Pattern: reference}}}
	}
	s.Description = f.Help
	if f.Example != "" && f.Type != List {
		s.Examples = []string{f.Example}
	}
	if f.Default != "" {
		s.Default = f.written()
	}
	return s
}

func (f Field) literal() *Schema {
	switch f.Type {
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
		if f.Required {
			s.MinItems = 1
		}
		return s
	case Anything:
		return &Schema{}
	}
	if f.booleans() {
		others := slices.DeleteFunc(slices.Clone(f.OneOf), func(one string) bool { return one == "true" || one == "false" })
		return &Schema{AnyOf: []*Schema{{Type: "boolean"}, {Type: "string", Enum: others}}}
	}
	s := &Schema{Type: "string", Enum: f.OneOf}
	if f.Required {
		s.MinLength = 1
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

// written is the default as a value of JSON.
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
	case List:
		return strings.Fields(f.Default)
	}
	return f.Default
}

// booleans reports whether a text may also be true or false, which YAML takes for booleans.
func (f Field) booleans() bool {
	return f.Type == Text && slices.Contains(f.OneOf, "true") && slices.Contains(f.OneOf, "false")
}
