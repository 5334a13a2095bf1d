package pipeline

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// replaceKey is the setting of sinks that can replace a site in the target.
const replaceKey = "replace"

// replacing returns the settings of a sink with replace: true, if it has this setting. It
// does not change the nodes of the file.
func (l *loader) replacing(with *yaml.Node, targets ...any) *yaml.Node {
	if with.Kind != yaml.MappingNode || !replaces(targets...) {
		return with
	}
	own := *with
	own.Content = slices.Clone(with.Content)
	value := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true", Line: with.Line, Column: with.Column}
	for i := 0; i+1 < len(own.Content); i += 2 {
		if own.Content[i].Value == replaceKey {
			if own.Content[i+1].Value != string(stage.ReplaceInPlace) {
				own.Content[i+1] = value
			}
			return &own
		}
	}
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: replaceKey, Line: with.Line, Column: with.Column}
	own.Content = append(own.Content, key, value)
	return &own
}

// replaced refuses --replace if no sink supports it.
func (l *loader) replaced() {
	if l.replace && !slices.ContainsFunc(l.pipeline.Sink, func(s Step) bool { return s.Onto != nil || replaces(s.Config) }) {
		l.fail(config.Position{File: l.decoder.File, Line: 1, Column: 1}, "omit --replace", "no sink of this pipeline supports replace")
	}
}

// replaces reports whether one of the targets has the setting replace.
func replaces(targets ...any) bool {
	fields, err := config.Describe(targets...)
	return err == nil && slices.ContainsFunc(fields, func(f config.Field) bool { return f.Name == replaceKey })
}
