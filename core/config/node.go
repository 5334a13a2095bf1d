package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// plain is the JSON of a YAML value: aliases and merge keys resolved, members by
// name, numbers as exact as they are written, dates as their texts.
func plain(n *yaml.Node) (json.RawMessage, error) {
	var whole any // refuses cycles and bombs of aliases
	var v tree
	if err := n.Decode(&whole); err != nil || n.Decode(&v) != nil {
		return nil, errors.New("cannot be encoded as JSON: a key is duplicated or is not text, a number is not finite, or an alias refers to itself")
	}
	text, err := json.Marshal(v.value)
	if err != nil {
		return nil, errors.New("cannot be encoded as JSON")
	}
	return text, nil
}

// tree is a value of YAML as package json marshals it.
type tree struct{ value any }

// UnmarshalYAML takes one node; a null never gets here.
func (t *tree) UnmarshalYAML(n *yaml.Node) error {
	switch tag := n.ShortTag(); {
	case n.Kind == yaml.MappingNode:
		members := map[string]*tree{} // a null is dropped without the pointer
		t.value = members
		return n.Decode(&members)
	case n.Kind == yaml.SequenceNode:
		var items []*tree
		err := n.Decode(&items)
		t.value = items
		return err
	case (tag == "!!int" || tag == "!!float") && json.Valid([]byte(n.Value)):
		t.value = json.RawMessage(n.Value)
		return nil
	case tag == "!!int" || tag == "!!float" || tag == "!!bool":
		if err := n.Decode(&t.value); err != nil {
			return err
		}
		_, err := json.Marshal(t.value) // no infinity
		return err
	}
	var text string
	if err := n.Decode(&text); err != nil {
		return err
	}
	t.value = text
	return wellFormed(text)
}

// MarshalJSON writes the value.
func (t tree) MarshalJSON() ([]byte, error) { return json.Marshal(t.value) }

// node is the YAML value that a text of JSON stands for.
func node(raw []byte) (*yaml.Node, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, errors.New("must be a JSON value")
	}
	return grown(v), nil
}

func grown(v any) *yaml.Node {
	switch v := v.(type) {
	case map[string]any:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			n.Content = append(n.Content, text(key), grown(v[key]))
		}
		return n
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range v {
			n.Content = append(n.Content, grown(item))
		}
		return n
	case string:
		return text(v)
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: v.String()} // its tag is what YAML makes of it
	case bool:
		value := "false"
		if v {
			value = "true"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: value}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
}

func text(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: value}
}
