package config

import (
	"strconv"

	"go.yaml.in/yaml/v3"
)

// quote returns s in quotes, truncated if it is long.
func quote(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return strconv.Quote(s)
}

func unquoted(n *yaml.Node) string {
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		return "remove the quotes"
	}
	return ""
}

func article(t Type) string {
	switch t {
	case Text, Switch, Scalar:
		return string(t)
	case Hidden:
		return string(Text)
	}
	if t == Group {
		return "an object"
	}
	return "a " + string(t)
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		return tagName(n.ShortTag())
	}
	return "nothing"
}

func tagName(tag string) string {
	switch tag {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!null":
		return "nothing"
	}
	return "a text"
}
