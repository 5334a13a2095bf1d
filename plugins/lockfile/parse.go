package lockfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// formatVersion is the version of the lock file format that this package supports.
const formatVersion = 1

// The structure of a lock file as read.
type (
	document struct {
		Version int       `key:"version" required:"true" min:"1" max:"1" help:"version of the lock file format" example:"1"`
		Plugins yaml.Node `key:"plugins" required:"true" help:"the plugins" example:"[]"`
	}
	pluginNode struct {
		Name     string    `key:"name" required:"true" help:"name of the plugin"`
		Version  string    `key:"version" required:"true" help:"its version"`
		Protocol int       `key:"protocol" required:"true" min:"1" help:"major version of its protocol"`
		SDK      string    `key:"sdk" help:"the SDK it was built with"`
		Stages   []string  `key:"stages" required:"true" help:"its stages, each as ROLE NAME"`
		Files    yaml.Node `key:"files" required:"true" help:"its file for each platform"`
	}
	pinNode struct {
		Platform string `key:"platform" required:"true" help:"GOOS/GOARCH"`
		Path     string `key:"path" place:"" required:"true" help:"path of the file, relative to the lock file"`
		SHA256   string `key:"sha256" required:"true" help:"SHA-256 of the file, in hex"`
		Pinned   string `key:"pinned" required:"true" help:"time of pinning in the format of RFC 3339"`
	}
)

// parser parses a lock file strictly: everything unknown or unusual is an error with its
// position.
type parser struct {
	decoder config.Decoder
	found   config.Findings
}

func (p *parser) fail(at *yaml.Node, suggestion, format string, args ...any) {
	p.found = append(p.found, config.Finding{Position: p.decoder.At(at), Severity: config.Error, Message: fmt.Sprintf(format, args...), Suggestion: suggestion})
}

func (f *File) parse(text []byte) error {
	p := &parser{decoder: config.Decoder{File: Name}}
	if bytes.Contains(text, []byte("${")) {
		return errors.New("it contains ${, but references are not supported in a lock file")
	}
	var doc, second yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return errors.New("it is empty")
	} else if err != nil {
		return fmt.Errorf("it is not YAML: %w", err)
	}
	if err := d.Decode(&second); err == nil {
		return errors.New("it contains more than one YAML document")
	}
	root := config.Resolve(doc.Content[0])
	if n, ok := otherVersion(root); ok {
		return &newerForm{n}
	}
	var top document
	p.decode(root, &top)
	for _, n := range p.list(&top.Plugins, "plugins") {
		if plugin := p.plugin(n); plugin != nil {
			plugin.file = f
			p.unlike(n, f.Plugins, plugin)
			f.Plugins = append(f.Plugins, plugin)
		}
	}
	p.found.Sort()
	f.sort()
	return p.found.Err()
}

// newerForm is the error for a lock file in another version of the format.
type newerForm struct{ version int }

func (e *newerForm) Error() string {
	return fmt.Sprintf("it has format version %d, this vault supports version %d; use a vault that supports it", e.version, formatVersion)
}

// otherVersion reads only the version: the rest of a newer file may have any form.
func otherVersion(root *yaml.Node) (int, bool) {
	for i := 0; root.Kind == yaml.MappingNode && i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == "version" {
			n, err := strconv.Atoi(root.Content[i+1].Value)
			return n, err == nil && n > formatVersion
		}
	}
	return 0, false
}

// decode decodes a mapping and reports whether it is valid.
func (p *parser) decode(n *yaml.Node, target any) bool {
	found := p.decoder.Decode(n, target)
	p.found = append(p.found, found...)
	return len(found.Of(config.Error)) == 0
}

func (p *parser) list(n *yaml.Node, what string) []*yaml.Node {
	n = config.Resolve(n)
	switch {
	case n.IsZero(): // missing: reported if required
		return nil
	case n.Kind != yaml.SequenceNode:
		p.fail(n, "", "%s must be a list", what)
		return nil
	}
	return n.Content
}

func (p *parser) plugin(n *yaml.Node) *Plugin {
	var got pluginNode
	if !p.decode(n, &got) {
		return nil
	}
	out := &Plugin{Name: got.Name, Version: got.Version, Protocol: got.Protocol, SDK: got.SDK}
	if err := errors.Join(checkName(got.Name), checkVersion(got.Version)); err != nil {
		p.fail(n, "", "%v", err)
	}
	for _, text := range got.Stages {
		role, name, _ := strings.Cut(text, " ")
		s := Stage{stage.Role(role), name}
		if err := checkStage(out.Stages, s); err != nil {
			p.fail(n, "", "plugin %s: %v", got.Name, err)
		}
		out.Stages = append(out.Stages, s)
	}
	for _, n := range p.list(&got.Files, "files") {
		if pin, ok := p.pin(n); ok {
			if _, twice := out.pin(pin.Platform); twice {
				p.fail(n, "keep one", "plugin %s has two files for %s", got.Name, pin.Platform)
			}
			out.Pins = append(out.Pins, pin)
		}
	}
	return out
}

func (p *parser) pin(n *yaml.Node) (Pin, bool) {
	var got pinNode
	if !p.decode(n, &got) {
		return Pin{}, false
	}
	since, err := time.Parse(time.RFC3339, got.Pinned)
	switch {
	case err != nil:
		p.fail(n, "write it like 2026-01-31T12:00:00Z", "pinned: %q is not a time", got.Pinned)
	case !goodPlatform.MatchString(got.Platform):
		p.fail(n, "write it like linux/amd64", "%q is not a platform", got.Platform)
	case !goodDigest.MatchString(got.SHA256):
		p.fail(n, "", "sha256: %q is not a SHA-256 of 64 hexadecimal digits (0-9, a-f)", got.SHA256)
	case !filepath.IsLocal(got.Path) || filepath.IsAbs(got.Path):
		p.fail(n, "", "path: %q is outside the directory of the lock file", got.Path)
	case !goodPath.MatchString(got.Path) || got.Path != filepath.ToSlash(filepath.Clean(got.Path)) || got.Path == ".":
		p.fail(n, "", "path: %q must be clean and consist of letters, digits and . _ - /", got.Path)
	default:
		return Pin{Platform: got.Platform, Path: got.Path, SHA256: got.SHA256, Since: since.UTC()}, true
	}
	return Pin{}, false
}

// unlike reports conflicts of a plugin with those before it.
func (p *parser) unlike(n *yaml.Node, before []*Plugin, plugin *Plugin) {
	for _, b := range before {
		if b.Name == plugin.Name {
			p.fail(n, "keep one", "plugin %s is listed twice", plugin.Name)
			continue
		}
		for _, s := range plugin.Stages {
			if slices.ContainsFunc(b.Stages, s.meets) {
				p.fail(n, "remove one of the two", "plugins %s and %s both have a %s", b.Name, plugin.Name, s)
			}
		}
		for _, pin := range plugin.Pins {
			if slices.ContainsFunc(b.Pins, func(q Pin) bool { return q.Path == pin.Path }) {
				p.fail(n, "", "plugins %s and %s both have the file %s", b.Name, plugin.Name, pin.Path)
			}
		}
	}
}

// sort sorts everything as it is written.
func (f *File) sort() {
	slices.SortFunc(f.Plugins, func(a, b *Plugin) int { return cmp.Compare(a.Name, b.Name) })
	for _, p := range f.Plugins {
		slices.SortFunc(p.Stages, func(a, b Stage) int { return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Name, b.Name)) })
		slices.SortFunc(p.Pins, func(a, b Pin) int { return cmp.Compare(a.Platform, b.Platform) })
	}
}
