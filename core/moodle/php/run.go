package php

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
)

// Files is how a program's files are read. Methods are called by one goroutine.
type Files interface {
	// Read returns the content of a regular file. Its error is fs.ErrNotExist if
	// there is none; any other means that it is not known what the file holds.
	Read(path string) ([]byte, error)
	// Stat tells what is at a path, as os.Stat.
	Stat(path string) (fs.FileInfo, error)
	// Real returns a path without symlinks, as filepath.EvalSymlinks.
	Real(path string) (string, error)
}

// Options is all that a program can see of the outside.
type Options struct {
	Files Files
	// Env returns a variable of the environment; none is set if it is nil.
	Env func(name string) (value string, ok bool)
	// Server is what $_SERVER has of the web server and the request; keys of these
	// kinds that it lacks are unknown. Other keys are looked up in Env.
	Server map[string]string
	// Undefined are constants that are known not to be defined; whether others are
	// that no file defines is unknown.
	Undefined []string
	// End are ends of paths, with a leading slash: a file that is included and has
	// one of these ends the program.
	End []string
	// Limits may be zero for the defaults.
	Limits Limits
}

// Limits bound what a program can take.
type Limits struct {
	Steps    int // evaluated pieces of code and copied values; default 2,000,000
	FileSize int // bytes of a file; default 1 MiB
	Files    int // default 100
}

// Use is a variable of the environment that a program asked for and that is not set.
type Use struct {
	Name string
	Pos  Pos
}

// Result is what a program leaves behind.
type Result struct {
	st *state
	// Unset are the variables of the environment that the program asked for and
	// that are not set, each once: what it takes instead may not be what the web
	// server has.
	Unset []Use
	// Included are the files that were read, the first included.
	Included []string
}

// Property is a property of an object.
type Property struct {
	Name  string
	Value Value
	Pos   Pos    // where it was assigned last
	Shown string // the expression that was assigned, without texts
}

// EndError reports a program of which no path reaches the end: it calls exit, or
// requires a file that does not exist.
type EndError struct {
	Pos     Pos
	Problem string
	Unset   []Use // variables of the environment that it asked for and that are not set
}

func (e *EndError) Error() string { return e.Pos.String() + ": " + e.Problem }

// Run evaluates a file. Its errors are *SyntaxError, *EndError, *LimitError, those of
// ctx, and those of reading the file itself.
func Run(ctx context.Context, file string, o Options) (*Result, error) {
	if o.Limits.Steps == 0 {
		o.Limits.Steps = 2_000_000
	}
	if o.Limits.FileSize == 0 {
		o.Limits.FileSize = 1 << 20
	}
	if o.Limits.Files == 0 {
		o.Limits.Files = 100
	}
	src, err := o.Files.Read(file)
	if err != nil {
		return nil, err
	}
	if len(src) > o.Limits.FileSize {
		return nil, &LimitError{Pos{file, 1}, fmt.Sprintf("the file is larger than %d bytes", o.Limits.FileSize)}
	}
	ev := &evaluator{ctx: ctx, opts: o, st: newState(), frame: &frame{}, functions: map[string]*function{}, ambiguous: map[string]bool{}, perhaps: map[string]bool{}, parsed: map[string][]stmt{}, included: []string{file}}
	ev.st.once[file] = true
	list, hidden, err := parse(file, string(src))
	if err != nil {
		return nil, err
	}
	if hidden {
		ev.hide(Pos{file, 1}, "code of a class, which is not evaluated, uses global variables")
	}
	ev.body(list)
	ev.finish(ev.frame)
	return ev.result()
}

func (ev *evaluator) result() (*Result, error) {
	if ev.err != nil {
		return nil, ev.err
	}
	st := ev.st
	if ev.ctl == ctlDie {
		st = nil
	}
	for _, p := range ev.ends {
		if st == nil {
			st = p.st
			continue
		}
		st = merger{ev, p.why}.state(p.st, st)
		if ev.err != nil {
			return nil, ev.err
		}
	}
	if st == nil {
		end := &EndError{Pos: Pos{ev.included[0], 1}, Problem: "the file has an error that ends it", Unset: ev.unset}
		if ev.death != nil {
			end.Pos, end.Problem = ev.death.Pos, ev.death.Problem
		}
		return nil, end
	}
	return &Result{st: st, Unset: ev.unset, Included: ev.included}, nil
}

// Properties lists the properties of the object in a variable of the file, in the
// order of their first assignment. open is not nil where there may be others, or,
// if the variable holds no object, says why.
func (r *Result) Properties(variable string) (list []Property, open *Reason) {
	top := r.st.scopes[0]
	sl, ok := top.vars[variable]
	if !ok {
		return nil, top.open
	}
	if sl.value.kind != KindObject {
		return nil, sl.value.why
	}
	o := r.st.objects[sl.value.n]
	for _, name := range o.names {
		p := o.slots[name]
		list = append(list, Property{name, p.value, p.pos, p.shown})
	}
	return list, o.open
}

// LimitError reports a program that is too large or takes too long.
type LimitError struct {
	Pos     Pos
	Problem string
}

func (e *LimitError) Error() string { return e.Pos.String() + ": " + e.Problem }

// note records that the environment lacks a variable.
func (ev *evaluator) note(name string, at Pos) {
	if !slices.ContainsFunc(ev.unset, func(u Use) bool { return u.Name == name }) && len(ev.unset) < 1000 {
		ev.unset = append(ev.unset, Use{name, at})
	}
}
