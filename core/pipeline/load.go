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

// Options say how to read a pipeline file.
type Options struct {
	// Context is for composites, which read files to tell what they stand for; nil
	// for context.Background().
	Context  context.Context
	Registry *stage.Registry
	Values   config.Values // what references in values stand for
	// Plugins runs stages in processes of their own; nil: steps that need it are errors.
	Plugins Plugins
	// Isolate has each built-in stage run in a process of its own, whatever its step says.
	Isolate bool
	// MemoryLimit is what the process's control group allows, 0 for any; see DefaultMemory.
	MemoryLimit int64
	// Replace sets replace: true in every sink that has this setting.
	Replace bool
	// Dir is where relative paths of settings, references and plugins begin; "" for
	// the folder of the file, and for the working directory where that is a pipe.
	Dir string
	// Storages reads only what it takes to open the storages that the file names:
	// steps of other stages and their references are not looked at, and the pipeline
	// has no transforms.
	Storages bool
	// Creating reads, beside the storages below sink, the transforms of bytes as a
	// whole, and no source: what it takes to make a repository. It implies Storages.
	Creating bool
	// HasKeys tells, with Storages, that the keys are known: those of the file are
	// not looked at.
	HasKeys bool
}

// Load reads a pipeline file. Where a finding is an error there is no pipeline;
// warnings come with one. An error (class failure.Usage) is a file that can't be read.
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

// readFile reads a pipeline file; piped tells that the path says nothing of where it is.
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

// Parse reads the text of a pipeline file; file is its name for messages.
func Parse(file string, text []byte, o Options) (*Pipeline, config.Findings) {
	if o.Dir == "" {
		o.Dir = filepath.Dir(file)
	}
	o.Values.Dir = o.Dir
	if o.Context == nil {
		o.Context = context.Background()
	}
	l := &loader{ctx: o.Context, memoryLimit: o.MemoryLimit, decoder: config.Decoder{File: file, Values: o.Values}, registry: o.Registry, plugins: o.Plugins, isolate: o.Isolate, replace: o.Replace,
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

// done is what was read, where nothing forbids its use.
func (l *loader) done() (*Pipeline, config.Findings) {
	l.found.Sort()
	if len(l.found.Of(config.Error)) > 0 {
		return nil, l.found
	}
	l.pipeline.Hidden = l.decoder.Hidden()
	return l.pipeline, l.found
}

type loader struct {
	ctx         context.Context
	memoryLimit int64
	decoder     config.Decoder
	registry    *stage.Registry
	plugins     Plugins
	isolate     bool
	replace     bool
	base        string // where relative paths begin
	pipeline    *Pipeline
	found       config.Findings
	brought     struct{ before, after []Step } // by composites
	unknown     bool                           // a step could not be read as a stage: what follows from the steps can't be told
}

func (l *loader) report(s config.Severity, at config.Position, suggestion, format string, args ...any) {
	l.found = append(l.found, config.Finding{Position: at, Severity: s, Message: fmt.Sprintf(format, args...), Suggestion: suggestion})
}

func (l *loader) fail(at config.Position, suggestion, format string, args ...any) {
	l.report(config.Error, at, suggestion, format, args...)
}

// root parses the YAML; nil if that failed.
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

// version looks at the version alone: a file of another one may have any shape.
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
	Version   int       `key:"version" required:"true" min:"1" max:"1" help:"the version of the pipeline's form" example:"1"`
	Name      string    `key:"name" open:"true" help:"what snapshots and messages call it; without it the file's name" example:"nightly"`
	Source    yaml.Node `key:"source" required:"true" help:"what to read: a site's parts, or a storage with snapshots" example:"[{use: …}]"`
	Transform yaml.Node `key:"transform" help:"what changes on the way, in order"`
	Select    yaml.Node `key:"select" help:"what the sources leave out: tables, rows, files; see docs/pipelines.md"`
	Sink      yaml.Node `key:"sink" required:"true" help:"where it goes; each sink gets everything that it can hold" example:"[{use: …}]"`
	Before    yaml.Node `key:"before" help:"actions before the run; one that fails refuses it"`
	After     yaml.Node `key:"after" help:"actions after the run; one that fails does not undo it"`
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
	p.Transform = l.steps(stage.RoleTransform, &doc.Transform)
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

// unused reports what --set gives and nothing takes: it is a slip of the pen.
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
