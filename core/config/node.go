package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// plain returns a YAML value as JSON: with aliases and merge keys resolved, members sorted
// by name, numbers in full precision and dates as strings.
func plain(n *yaml.Node) (json.RawMessage, error) {
	var whole any // the YAML library rejects cycles and excessive aliasing
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

// tree is a YAML value that encoding/json can marshal.
type tree struct{ value any }

// UnmarshalYAML stores one node. The YAML library does not call it for null.
func (t *tree) UnmarshalYAML(n *yaml.Node) error {
	switch tag := n.ShortTag(); {
	case n.Kind == yaml.MappingNode:
		members := map[string]*tree{} // without the pointer, null would be dropped
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
		_, err := json.Marshal(t.value) // fails for infinity and NaN
		return err
	}
	var text string
	if err := n.Decode(&text); err != nil {
		return err
	}
	t.value = text
	return wellFormed(text)
}

// MarshalJSON returns the value as JSON.
func (t tree) MarshalJSON() ([]byte, error) { return json.Marshal(t.value) }

// node returns the YAML value of a JSON text.
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
		return &yaml.Node{Kind: yaml.ScalarNode, Value: v.String()} // YAML derives the tag from the value
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
