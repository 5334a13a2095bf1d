package pipeline

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// storages reads only the storages of a file. It reads the keys of a source unless hasKeys
// is set, and ignores the snapshot, which the command selects.
func (l *loader) storages(text []byte, hasKeys bool) (*Pipeline, config.Findings) {
	doc, ok := l.partly(text)
	if !ok {
		return l.done()
	}
	skip := []string{"snapshot"}
	if hasKeys {
		skip = append(skip, "passphrase", "identity")
	}
	isStorage := func(s Step) bool { return s.storage() }
	var elsewhere, more config.Findings // errors of steps that are not known to be storages
	l.pipeline.Source, elsewhere = l.some(stage.RoleSource, &doc.Source, skip, isStorage)
	l.pipeline.Sink, more = l.some(stage.RoleSink, &doc.Sink, skip, isStorage)
	elsewhere = append(elsewhere, more...)
	if list := config.Resolve(&doc.Transform); list.Kind == yaml.SequenceNode && !hasKeys {
		l.keys(list)
	}
	if len(l.pipeline.Steps()) == 0 {
		l.found = append(l.found, elsewhere...)
	}
	return l.done()
}

// creating reads what is needed to create the repositories of a file; see Options.
func (l *loader) creating(text []byte) (*Pipeline, config.Findings) {
	doc, ok := l.partly(text)
	if !ok {
		return l.done()
	}
	var elsewhere config.Findings
	l.pipeline.Sink, elsewhere = l.some(stage.RoleSink, &doc.Sink, nil, func(s Step) bool { return s.storage() })
	if len(l.pipeline.Sink) == 0 {
		l.found = append(l.found, elsewhere...)
	}
	l.pipeline.Transform, elsewhere = l.some(stage.RoleTransform, &doc.Transform, nil, func(s Step) bool { return s.Stage.NewBytes != nil })
	l.found = append(l.found, elsewhere...) // one that is not known may be one that encrypts
	return l.done()
}

// partly reads the outermost level of a file. Missing values are only warnings, because
// they may not be needed.
func (l *loader) partly(text []byte) (doc document, ok bool) {
	root := l.root(text)
	if root == nil || !l.version(root) {
		return doc, false
	}
	l.decoder.Values.Offline = true
	l.found = append(l.found, l.outermost(root, &doc).Of(config.Error)...)
	return doc, true
}

// some decodes the wanted steps of a list without the settings in skip. Errors of other
// steps are returned instead of reported.
func (l *loader) some(role stage.Role, list *yaml.Node, skip []string, wanted func(Step) bool) (steps []Step, elsewhere config.Findings) {
	list = config.Resolve(list)
	if list.Kind != yaml.SequenceNode {
		return nil, nil
	}
	for i, n := range list.Content {
		before := len(l.found)
		s, with, ok := l.located(role, string(role), i, n)
		if !ok || !wanted(s) {
			elsewhere = append(elsewhere, l.found[before:].Of(config.Error)...)
			l.found = l.found[:before]
			continue
		}
		l.decoder.Values.Offline = false
		l.settings(&s, without(with, skip))
		l.decoder.Values.Offline = true
		steps = append(steps, s)
	}
	return steps, elsewhere
}

// keys reads the keys of the encrypting transform, which open the repository below sink.
// It does not report errors, because the key may be given in another way.
func (l *loader) keys(list *yaml.Node) {
	before := len(l.found)
	defer func() { l.found = l.found[:before] }()
	for i, n := range list.Content {
		s, with, ok := l.located(stage.RoleTransform, "transform", i, n)
		if !ok || !s.Stage.Seals || with.Kind != yaml.MappingNode {
			continue
		}
		only := *with
		only.Content = nil
		for i := 0; i+1 < len(with.Content); i += 2 {
			if key := with.Content[i].Value; key == "passphrase" || key == "identity" {
				only.Content = append(only.Content, with.Content[i], with.Content[i+1])
			}
		}
		var found SnapshotConfig
		l.decoder.Values.Offline = false
		if errs := l.decoder.Decode(&only, &found).Of(config.Error); len(errs) == 0 {
			l.pipeline.Passphrase, l.pipeline.Identity = found.Passphrase, found.Identity
		}
		l.decoder.Values.Offline = true
	}
}

// without returns a copy of a mapping without some keys.
func without(n *yaml.Node, keys []string) *yaml.Node {
	rest := *n
	rest.Content = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !slices.Contains(keys, n.Content[i].Value) {
			rest.Content = append(rest.Content, n.Content[i], n.Content[i+1])
		}
	}
	return &rest
}
