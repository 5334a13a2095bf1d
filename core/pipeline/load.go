package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// Version is the version of pipeline files that this package reads.
const Version = 1

const maxFile = 1 << 20

// Options are the options of Load and Parse.
type Options struct {
	// Context is passed to composites, which may read files when they are expanded. Nil
	// means context.Background().
	Context  context.Context
	Registry *stage.Registry
	Values   config.Values // values of references
	// Plugins runs stages in separate processes. If it is nil, steps that need it are errors.
	Plugins Plugins
	// Isolate runs every built-in stage in a separate process.
	Isolate bool
	// MemoryLimit is the limit of the control group in bytes, 0 for none; see DefaultMemory.
	MemoryLimit int64
	// Replace sets replace: true in every sink that has this setting.
	Replace bool
	// Online lets composites connect to what they describe; see stage.ExpandEnv.
	Online bool
	// AllowRestore is passed to composites; see stage.ExpandEnv.
	AllowRestore bool
	// Dir is the directory that paths of settings, references and plugins are relative to.
	// If it is "", it is the directory of the file, or the working directory for a pipe.
	Dir string
	// Storages reads only what is needed to open the storages in the file. Steps of other
	// stages and their references are ignored, and the pipeline has no transforms.
	Storages bool
	// Creating reads what is needed to create a repository: the storages below sink and all
	// transforms of bytes. It implies Storages.
	Creating bool
	// HasKeys ignores the keys in the file, because the caller has them. It is used with
	// Storages.
	HasKeys bool
}

// Load reads a pipeline file. The pipeline is nil if a finding is an error. Load returns an
// error (class failure.Usage) if the file cannot be read.
func Load(path string, o Options) (*Pipeline, config.Findings, error) {
	text, piped, err := readFile(path)
	if piped && o.Dir == "" {
		o.Dir = "."
	}
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		return nil, nil, failure.New(failure.Usage, "cannot read pipeline file %s: %w", path, err)
	}
	p, found := Parse(path, text, o)
	return p, found, nil
}

// readFile reads a pipeline file. piped is true if the path does not locate the file.
func readFile(path string) (text []byte, piped bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, false, err
	}
	piped = !info.Mode().IsRegular() || strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/")
	if text, err = io.ReadAll(io.LimitReader(f, maxFile+1)); err == nil && len(text) > maxFile {
		err = fmt.Errorf("exceeds the limit of %s", config.Size(maxFile))
	}
	return text, piped, err
}

// Parse parses the text of a pipeline file. file is its name in messages.
func Parse(file string, text []byte, o Options) (*Pipeline, config.Findings) {
	if o.Dir == "" {
		o.Dir = filepath.Dir(file)
	}
	o.Values.Dir = o.Dir
	if o.Context == nil {
		o.Context = context.Background()
	}
	l := &loader{ctx: o.Context, memoryLimit: o.MemoryLimit, decoder: config.Decoder{File: file, Values: o.Values}, registry: o.Registry, plugins: o.Plugins, isolate: o.Isolate, replace: o.Replace,
		online: o.Online, allowRestore: o.AllowRestore,
		base: o.Dir, pipeline: &Pipeline{File: file, Dir: o.Dir}}
	if o.Creating {
		return l.creating(text)
	}
	if o.Storages {
		return l.storages(text, o.HasKeys)
	}
	if root := l.root(text); root != nil && l.version(root) {
		l.document(root)
	}
	return l.done()
}

// done returns the pipeline and the findings; the pipeline is nil if one is an error.
func (l *loader) done() (*Pipeline, config.Findings) {
	l.found.Sort()
	if len(l.found.Of(config.Error)) > 0 {
		return nil, l.found
	}
	l.pipeline.Hidden, l.pipeline.Variables = l.decoder.Hidden(), l.decoder.Used()
	return l.pipeline, l.found
}

type loader struct {
	ctx          context.Context
	memoryLimit  int64
	decoder      config.Decoder
	registry     *stage.Registry
	plugins      Plugins
	isolate      bool
	replace      bool
	online       bool
	allowRestore bool
	base         string // directory that paths are relative to
	pipeline     *Pipeline
	found        config.Findings
	brought      struct{ transforms, before, after []Step } // by composites
	unknown      bool                                       // a step has no known stage, so the pipeline as a whole cannot be checked
}

func (l *loader) report(s config.Severity, at config.Position, suggestion, format string, args ...any) {
	l.found = append(l.found, config.Finding{Position: at, Severity: s, Message: fmt.Sprintf(format, args...), Suggestion: suggestion})
}

func (l *loader) fail(at config.Position, suggestion, format string, args ...any) {
	l.report(config.Error, at, suggestion, format, args...)
}

// root parses the YAML. It returns nil on failure.
func (l *loader) root(text []byte) *yaml.Node {
	const hint = "a pipeline begins with version: 1; see docs/pipelines.md"
	root, found := config.Document(l.decoder.File, text)
	l.found = append(l.found, found...)
	switch {
	case len(found) > 0:
		return nil
	case root == nil:
		l.fail(config.Position{File: l.decoder.File, Line: 1, Column: 1}, hint, "the file is empty")
		return nil
	}
	if root = config.Resolve(root); root.Kind != yaml.MappingNode {
		l.fail(l.decoder.At(root), hint, "a pipeline must be a mapping of keys to values")
		return nil
	}
	return root
}

// version checks only the version, because other versions may have any structure.
func (l *loader) version(root *yaml.Node) bool {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != "version" {
			continue
		}
		v := config.Resolve(root.Content[i+1])
		n, err := strconv.Atoi(v.Value)
		if v.Kind == yaml.ScalarNode && v.ShortTag() == "!!int" && err == nil && n != Version {
			l.fail(l.decoder.At(v), fmt.Sprintf("use version: %d, or a vault that supports this version", Version),
				"pipeline version %d is not supported; this vault reads version %d", n, Version)
			return false
		}
	}
	return true
}

// document is the outermost level of a pipeline file, beside Settings.
type document struct {
	Version   int       `key:"version" required:"true" min:"1" max:"1" help:"version of the pipeline format" example:"1"`
	Name      string    `key:"name" open:"true" help:"name of the pipeline in snapshots and messages; default: the name of the file" example:"nightly"`
	Source    yaml.Node `key:"source" required:"true" help:"what to read: the parts of a site, or a storage with snapshots" example:"[{use: …}]"`
	Transform yaml.Node `key:"transform" help:"transforms, in their order"`
	Select    yaml.Node `key:"select" help:"what the sources leave out: tables, rows, files; see docs/pipelines.md"`
	Sink      yaml.Node `key:"sink" required:"true" help:"where to write; each sink receives every part that it can hold" example:"[{use: …}]"`
	Before    yaml.Node `key:"before" help:"actions before the run; a failure refuses the run"`
	After     yaml.Node `key:"after" help:"actions after the run; a failure does not undo the run"`
	Accept    yaml.Node `key:"accept_loss" help:"maximum number of losses per kind (default 0)"`
}

// Validate checks the name.
func (d *document) Validate() error {
	if len(d.Name) > 100 || strings.ContainsFunc(d.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return config.At("name", "name must be at most 100 bytes without control characters")
	}
	return nil
}

// outermost decodes the outermost level of the file.
func (l *loader) outermost(root *yaml.Node, doc *document) config.Findings {
	found := l.decoder.Decode(root, doc, &l.pipeline.Settings)
	if l.pipeline.Memory == 0 {
		l.pipeline.Memory = DefaultMemory(l.memoryLimit)
	}
	return found
}

func (l *loader) document(root *yaml.Node) {
	var doc document
	p := l.pipeline
	l.found = append(l.found, l.outermost(root, &doc)...)
	if p.Name = doc.Name; p.Name == "" {
		base := filepath.Base(p.File)
		p.Name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	p.Accept = l.accept(&doc.Accept)
	p.Selection = l.selection(&doc.Select)
	p.Source = l.steps(stage.RoleSource, &doc.Source)
	p.Transform = append(l.brought.transforms, l.steps(stage.RoleTransform, &doc.Transform)...)
	p.Sink = l.steps(stage.RoleSink, &doc.Sink)
	l.actions(&doc)
	if !l.unknown {
		l.replaced()
		l.unused()
		l.lint()
	}
}

func (l *loader) accept(n *yaml.Node) map[stage.LossKind]int64 {
	n = config.Resolve(n)
	if n.IsZero() {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		l.fail(l.decoder.At(n), "write accept_loss: {view: 1}", "accept_loss must be a mapping of kinds of loss to counts")
		return nil
	}
	budget := map[stage.LossKind]int64{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], config.Resolve(n.Content[i+1])
		if suggestion, ok := lossKind(key.Value); !ok {
			l.fail(l.decoder.At(key), suggestion, "unknown kind of loss%s", l.decoder.Shown(": ", key.Value, lossKinds()...))
			continue
		}
		if _, twice := budget[stage.LossKind(key.Value)]; twice {
			l.fail(l.decoder.At(key), "keep one", "duplicate kind of loss %q", key.Value)
		}
		count, err := acceptCount(value.Value)
		if err != nil || value.Kind != yaml.ScalarNode || value.ShortTag() != "!!int" {
			l.fail(l.decoder.At(value), "", "the count of %s must be a whole number of at least 0", key.Value)
		}
		budget[stage.LossKind(key.Value)] = count
	}
	return budget
}

// unused reports values of --set that the file does not use, which is probably a typo.
func (l *loader) unused() {
	used := l.decoder.Used()
	for name := range l.decoder.Values.Set {
		if slices.Contains(used, name) {
			continue
		}
		suggestion := config.Nearest(name, used)
		if suggestion == "" {
			suggestion = "remove it, or write ${" + name + "} where the value belongs"
		}
		l.fail(config.Position{File: l.decoder.File, Line: 1, Column: 1}, suggestion, "--set %s is not used in this file", name)
	}
}
