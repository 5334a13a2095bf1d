package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/place"
	"github.com/lmsvault/vault/core/stage"
)

// Apart returns an error if two steps use the same or overlapping directories, or the same
// database. Parse checks this too; a run calls Apart again before it changes anything,
// because links and mounts may have changed.
func (p *Pipeline) Apart() error {
	var errs []error
	for _, f := range p.overlaps() {
		errs = append(errs, failure.New(failure.Refused, "%s: %s; %s", f.Position, f.Message, f.Suggestion))
	}
	return errors.Join(errs...)
}

// overlaps finds steps that use the same database or overlapping directories. Directories
// are compared by their real paths, databases only by their addresses; stages themselves
// check whether two addresses lead to the same server.
func (p *Pipeline) overlaps() config.Findings {
	o := &overlaps{machine: place.Here()}
	logs, _ := p.Logs()
	for i := range p.Sink {
		sink := &p.Sink[i]
		o.logs(logs, sink)
		for j := range p.Source {
			o.sourceAndSink(&p.Source[j], sink)
		}
		for j := range i {
			o.sinks(&p.Sink[j], sink)
		}
	}
	return o.found
}

// LogsName is the name of the default directory of logs, beside the pipeline file.
const LogsName = "vault-logs"

// Logs returns the absolute path of the directory for the log of a run, and whether the
// file sets it. It is "" if the pipeline writes to repositories only.
func (p *Pipeline) Logs() (dir string, set bool) {
	if !slices.ContainsFunc(p.Sink, func(s Step) bool { return !s.storage() }) {
		return "", false
	}
	dir, set = p.LogDir, p.LogDir != ""
	if !set {
		dir = filepath.Join(p.Dir, LogsName)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return filepath.Clean(dir), set
	}
	return abs, set
}

// logs compares the directory of logs with the place of a sink, which may replace it.
func (o *overlaps) logs(dir string, sink *Step) {
	if dir == "" || sink.path() == "" {
		return
	}
	if o.machine.Find(dir).Within(o.machine.Find(sink.path())) {
		o.fail(sink.placeAt("dir", "file"), "set log_dir to another directory", "the log of the run would be in %s, inside of what %s writes", dir, sink.Label())
	}
}

type overlaps struct {
	machine *place.Machine
	found   config.Findings
}

func (o *overlaps) fail(at config.Position, suggestion, format string, args ...any) {
	o.found = append(o.found, config.Finding{Position: at, Severity: config.Error, Message: fmt.Sprintf(format, args...), Suggestion: suggestion})
}

func (o *overlaps) sourceAndSink(source, sink *Step) {
	if sameDatabase(source, sink) {
		o.fail(sink.placeAt("database"), "choose another database or prefix", "%s would write into the tables that %s on line %d reads", sink.Label(), source.Label(), source.At.Line)
		return
	}
	// A source of documents reads few files of its directory, none of which a sink writes.
	if source.path() == "" || sink.path() == "" || slices.Equal(source.Stage.Parts, []string{stage.Site}) {
		return
	}
	from, to := o.machine.Find(source.path()), o.machine.Find(sink.path())
	at, called := sink.placeAt("dir", "file"), realNames(source, from, sink, to)
	switch {
	case from.Same(to):
		o.fail(at, "choose another place", "%s would write to the same place that %s on line %d reads%s", sink.Label(), source.Label(), source.At.Line, called)
	case to.Within(from):
		o.fail(at, "choose a place outside it", "%s writes into the directory that %s on line %d reads: a backup would contain itself%s", sink.Label(), source.Label(), source.At.Line, called)
	case from.Within(to):
		o.fail(at, "choose a place that does not contain the source", "%s writes to a directory that contains what %s on line %d reads%s", sink.Label(), source.Label(), source.At.Line, called)
	default:
		o.followed(source, sink, to)
	}
}

// follower is the configuration of a source that follows symlinks below its directory.
type follower interface {
	Followed() []string // relative to the folder, with slashes
}

// followed compares the place of a sink with the targets of the symlinks that a source
// follows.
func (o *overlaps) followed(source, sink *Step, to place.Place) {
	f, ok := source.Config.(follower)
	if !ok {
		return
	}
	for _, link := range f.Followed() {
		behind := o.machine.Find(filepath.Join(source.path(), filepath.FromSlash(link)))
		if to.Within(behind) || behind.Within(to) {
			o.fail(sink.placeAt("dir", "file"), "choose a place outside it, or remove the link from follow",
				"%s would write to what %s on line %d reads through the link %s, which leads to %s",
				sink.Label(), source.Label(), source.At.Line, link, behind.Path)
			return
		}
	}
}

func (o *overlaps) sinks(other, sink *Step) {
	const apart = "give each its own place"
	if sameDatabase(sink, other) {
		o.fail(sink.At, apart, "%s writes to the same place as %s on line %d", sink.Label(), other.Label(), other.At.Line)
		return
	}
	if sink.path() == "" || other.path() == "" {
		return
	}
	a, b := o.machine.Find(sink.path()), o.machine.Find(other.path())
	called := realNames(sink, a, other, b)
	switch {
	case a.Same(b):
		o.fail(sink.At, apart, "%s writes to the same place as %s on line %d%s", sink.Label(), other.Label(), other.At.Line, called)
	case a.Within(b) && !o.pool(sink, a, other), b.Within(a) && !o.pool(other, b, sink):
		o.fail(sink.At, apart, "the places of %s and of %s on line %d overlap%s", sink.Label(), other.Label(), other.At.Line, called)
	}
}

// pool reports whether the inner step uses the file pool inside the data root of the outer
// step, which ignores that directory.
func (o *overlaps) pool(inner *Step, at place.Place, outer *Step) bool {
	return slices.Equal(inner.Stage.Parts, []string{stage.Filedir}) && slices.Equal(outer.Stage.Parts, []string{stage.Dataroot}) &&
		at.Within(o.machine.Find(filepath.Join(outer.path(), moodle.FiledirName)))
}

// realNames describes paths that are not their own real paths, for messages.
func realNames(a *Step, foundA place.Place, b *Step, foundB place.Place) string {
	var names []string
	for _, x := range []struct {
		path string
		real place.Place
	}{{a.path(), foundA}, {b.path(), foundB}} {
		if x.path != x.real.Path {
			names = append(names, x.path+" is "+x.real.Path)
		}
	}
	if names == nil {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// sameDatabase reports whether two steps have the same address and prefix.
func sameDatabase(a, b *Step) bool {
	x, y := a.places, b.places
	return x["database"].Value != "" && x["database"].Value == y["database"].Value && x["prefix"].Value == y["prefix"].Value
}

// path returns the absolute path of the directory or file that a step uses, or "".
func (s *Step) path() string {
	p := cmp.Or(s.places["dir"].Value, s.places["file"].Value)
	if p == "" {
		return ""
	}
	abs, err := filepath.Abs(p)
	if err != nil {
		return filepath.Clean(p)
	}
	return abs
}

// Exposed returns a note for each repository directory that every user can write to.
func (p *Pipeline) Exposed() []stage.Note {
	var notes []stage.Note
	for i := range p.Sink {
		s := &p.Sink[i]
		if !s.storage() || s.path() == "" {
			continue
		}
		if info, err := os.Stat(s.path()); err == nil && info.IsDir() && info.Mode().Perm()&0o002 != 0 {
			notes = append(notes, stage.Note{Path: s.path(), Text: fmt.Sprintf(
				"every user of this machine can write to the repository directory (mode %04o) and delete backups; run chmod o-w", info.Mode().Perm())})
		}
	}
	return notes
}

// Written returns the directories of the repositories and of the other targets that a run
// writes to, as far as they are on this machine.
func (p *Pipeline) Written() (repositories, targets []string) {
	for i := range p.Sink {
		s := &p.Sink[i]
		dir := s.path()
		if s.places["dir"].Value == "" && dir != "" {
			dir = filepath.Dir(dir)
		}
		switch {
		case dir == "":
		case s.storage():
			repositories = append(repositories, dir)
		default:
			targets = append(targets, dir)
		}
	}
	return repositories, targets
}

// Where returns the directory or file in the settings of the step, for messages. It returns
// the label of the step if there is none, or if it is a secret.
func (s *Step) Where() string {
	fields, err := config.Describe(s.Config)
	for _, p := range []config.Place{s.places["dir"], s.places["file"]} {
		hidden := slices.ContainsFunc(fields, func(f config.Field) bool { return f.Name == p.Key && f.Type == config.Hidden })
		if err == nil && p.Value != "" && !hidden {
			return p.Value
		}
	}
	return s.Label()
}

// placeAt returns the position of the first of these places that is in the file, else the
// position of the step.
func (s *Step) placeAt(places ...string) config.Position {
	for _, place := range places {
		if at, ok := s.keys[s.places[place].Key]; ok {
			return at
		}
	}
	return s.At
}
