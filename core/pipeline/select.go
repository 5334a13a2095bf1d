package pipeline

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/selection"
)

// selectKeys are the keys below select.
type selectKeys struct {
	ExcludeTables []string  `key:"exclude_tables" help:"tables to leave out, without the prefix; * stands for any characters" example:"[logstore_*, sessions]"`
	StructureOnly []string  `key:"structure_only" help:"tables to read without their rows; * stands for any characters" example:"[cache_*]"`
	Rows          yaml.Node `key:"rows" help:"which rows to read: a list of rules, each with table and one of only and except"`
	ExcludeFiles  []string  `key:"exclude_files" help:"files and directories to leave out, as paths in a snapshot; * stands for any characters but a slash" example:"[dataroot/repository/cache, filedir/.snapshot]"`
}

// ruleKeys are the keys of a rule below rows.
type ruleKeys struct {
	Table  string    `key:"table" required:"true" help:"the table, without the prefix; * stands for any characters" example:"config_plugins"`
	Only   yaml.Node `key:"only" help:"the condition of the rows that are read"`
	Except yaml.Node `key:"except" help:"the condition of the rows that are left out"`
}

// conditionKeys are the keys of a condition.
type conditionKeys struct {
	Column string    `key:"column" help:"the column that is looked at"`
	Equal  yaml.Node `key:"equal" help:"it is this"`
	In     yaml.Node `key:"in" help:"it is one of these"`
	Prefix string    `key:"prefix" help:"it begins with this text"`
	Null   bool      `key:"null" help:"true: it is NULL"`
	All    yaml.Node `key:"all" help:"a list of conditions that all hold"`
	Any    yaml.Node `key:"any" help:"a list of conditions of which one holds"`
}

// selection reads what is below select.
func (l *loader) selection(n *yaml.Node) selection.Selection {
	n = config.Resolve(n)
	if n.IsZero() || isNull(n) {
		return selection.Selection{}
	}
	var keys selectKeys
	before := len(l.found)
	l.found = append(l.found, l.decoder.Decode(n, &keys)...)
	s := selection.Selection{ExcludeTables: keys.ExcludeTables, StructureOnly: keys.StructureOnly, ExcludeFiles: keys.ExcludeFiles}
	l.each(&keys.Rows, "rows", func(n *yaml.Node) {
		var rule ruleKeys
		found := l.decoder.Decode(n, &rule)
		l.found = append(l.found, found...)
		r := selection.Rows{Table: rule.Table, Only: l.condition(&rule.Only, 0), Except: l.condition(&rule.Except, 0)}
		if len(l.found) > before { // what is wrong is reported
			return
		}
		if err := r.Validate(); err != nil {
			l.fail(l.decoder.At(n), "", "%v", err)
		}
		s.Rows = append(s.Rows, r)
	})
	if len(l.found) == before {
		if err := s.Validate(); err != nil {
			l.fail(l.decoder.At(n), "", "select: %v", err)
		}
	}
	return s
}

// each calls fn for every item of a list, which may be missing.
func (l *loader) each(n *yaml.Node, key string, fn func(*yaml.Node)) {
	switch n = config.Resolve(n); {
	case n.IsZero() || isNull(n):
	case n.Kind != yaml.SequenceNode:
		l.fail(l.decoder.At(n), "", "%s must be a list", key)
	default:
		for _, item := range n.Content {
			fn(config.Resolve(item))
		}
	}
}

// mostNested bounds conditions in conditions, also through aliases.
const mostNested = 16

// condition reads a condition; nil where there is none.
func (l *loader) condition(n *yaml.Node, depth int) *selection.Condition {
	n = config.Resolve(n)
	if n.IsZero() || isNull(n) {
		return nil
	}
	if depth == mostNested {
		l.fail(l.decoder.At(n), "", "conditions are nested deeper than %d", mostNested)
		return nil
	}
	var keys conditionKeys
	l.found = append(l.found, l.decoder.Decode(n, &keys)...)
	c := &selection.Condition{Column: keys.Column, Prefix: keys.Prefix, Null: keys.Null}
	if !keys.Equal.IsZero() {
		c.In = append(c.In, l.literal(&keys.Equal))
	}
	if !keys.Equal.IsZero() && !keys.In.IsZero() {
		l.fail(l.decoder.At(n), "", "a condition has equal or in, not both")
	}
	l.each(&keys.In, "in", func(n *yaml.Node) { c.In = append(c.In, l.literal(n)) })
	for key, list := range map[string]struct {
		from *yaml.Node
		to   *[]selection.Condition
	}{"all": {&keys.All, &c.All}, "any": {&keys.Any, &c.Any}} {
		l.each(list.from, key, func(n *yaml.Node) {
			if inner := l.condition(n, depth+1); inner != nil {
				*list.to = append(*list.to, *inner)
			}
		})
	}
	return c
}

// literal reads a value of a condition: numbers and true and false need no quotes.
func (l *loader) literal(n *yaml.Node) string {
	n = config.Resolve(n)
	switch tag := n.ShortTag(); {
	case n.Kind == yaml.ScalarNode && (tag == "!!int" || tag == "!!bool"):
		return n.Value
	case n.Kind == yaml.ScalarNode && tag == "!!str":
		var one struct {
			Value string `key:"value" help:"a value of a condition"`
		}
		key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "value", Line: n.Line, Column: n.Column}
		l.found = append(l.found, l.decoder.Decode(&yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column, Content: []*yaml.Node{key, n}}, &one)...)
		return one.Value
	}
	l.fail(l.decoder.At(n), "put quotes around a text", "a value of a condition must be a text, a whole number, true or false")
	return ""
}

// selectSchema describes select; a condition refers to conditionDef.
func selectSchema() (whole, condition *config.Schema, err error) {
	var schemas [3]*config.Schema
	for i, keys := range []any{&selectKeys{}, &ruleKeys{}, &conditionKeys{}} {
		fields, err := config.Describe(keys)
		if err != nil {
			return nil, nil, fmt.Errorf("select: %w", err)
		}
		schemas[i] = config.Object(fields)
	}
	whole, rule, condition := schemas[0], schemas[1], schemas[2]
	nested := &config.Schema{Ref: "#/$defs/" + conditionDef}
	for _, key := range []string{"only", "except"} {
		rule.Properties[key].AllOf = []*config.Schema{nested}
	}
	rows := whole.Properties["rows"]
	rows.Type, rows.Items = "array", rule
	value := &config.Schema{AnyOf: []*config.Schema{{Type: "string"}, {Type: "integer"}, {Type: "boolean"}}}
	condition.Properties["equal"].AnyOf = value.AnyOf
	condition.Properties["in"].Type, condition.Properties["in"].Items = "array", value
	for _, key := range []string{"all", "any"} {
		condition.Properties[key].Type, condition.Properties[key].Items = "array", nested
	}
	return whole, condition, nil
}

// conditionDef names the schema of a condition, which holds others.
const conditionDef = "condition"
