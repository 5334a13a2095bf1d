package moodlecmd

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	live "github.com/lmsvault/vault/dialects/site"
)

// withFlag adds the flag for settings of an action.
func withFlag(cmd *cobra.Command, action string) {
	cmd.Flags().StringArray("with", nil, "NAME=VALUE: a setting of the action "+action+", as vault stages "+action+" lists them; ${env:NAME} and ${file:/path} are references; may be repeated")
}

// with decodes the settings of an action on the site, and those of the flag.
func (s *site) with(cmd *cobra.Command, target any) error {
	given, err := cmd.Flags().GetStringArray("with")
	if err != nil {
		return err
	}
	node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	add := func(name string, value *yaml.Node) { node.Content = append(node.Content, scalar(name), value) }
	for _, name := range slices.Sorted(maps.Keys(s.settings)) {
		if value, ok := s.settings[name].(string); ok {
			add(name, scalar(value))
		}
	}
	for _, pair := range given {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return failure.New(failure.Usage, "--with takes NAME=VALUE, such as mail=false")
		}
		add(name, valueOf(value))
	}
	d := config.Decoder{File: "--with"}
	if err := d.Decode(node, target).Err(); err != nil {
		return err
	}
	if own := live.On(target); own != nil { // what a pipeline says of the site
		own.Database = cmp.Or(own.Database, s.there.Database)
		if own.Settings == nil {
			own.Settings = s.there.Settings
		}
	}
	return nil
}

func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// valueOf reads true, false, numbers, lists and maps as YAML does; all else is text.
func valueOf(text string) *yaml.Node {
	var parsed yaml.Node
	if yaml.Unmarshal([]byte(text), &parsed) != nil || len(parsed.Content) != 1 {
		return scalar(text)
	}
	if n := parsed.Content[0]; n.Kind != yaml.ScalarNode || n.Tag == "!!bool" || n.Tag == "!!int" {
		return n
	}
	return scalar(text)
}
