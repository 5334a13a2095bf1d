package php

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
)

// Files reads the files of a program. Its methods are called from one goroutine.
type Files interface {
	// Read returns the content of a regular file. Its error is fs.ErrNotExist if
	// there is none; any other error means that the content is unknown.
	Read(path string) ([]byte, error)
	// Stat describes the file at a path, as os.Stat does.
	Stat(path string) (fs.FileInfo, error)
	// Real returns a path with its symlinks resolved, as filepath.EvalSymlinks does.
	Real(path string) (string, error)
}

// Options holds all inputs of a program.
type Options struct {
	Files Files
	// Env returns an environment variable; if Env is nil, none is set.
	Env func(name string) (value string, ok bool)
	// Server holds the keys of $_SERVER that the web server and the request set; other
	// such keys are unknown. Keys of other kinds are looked up in Env.
	Server map[string]string
	// Undefined lists constants that are not defined. Any other constant that no file
	// defines is unknown.
	Undefined []string
	// End lists suffixes of paths, with a leading slash. The include of a file with
	// such a suffix ends the program.
	End []string
	// Limits is optional; zero fields have defaults.
	Limits Limits
}

// Limits bounds the resources of a program.
type Limits struct {
	Steps    int // evaluated pieces of code and copied values; default 2,000,000
	FileSize int // bytes of a file; default 1 MiB
	Files    int // default 100
}

// Use is a read of an environment variable that is not set.
type Use struct {
	Name string
	Pos  Pos
}

// Result is the result of a program.
type Result struct {
	st *state
	// Unset lists the environment variables that the program read and that are not
	// set, each once. Its fallback values may differ from those of the web server.
	Unset []Use
	// Included lists the files that were read, including the first one.
	Included []string
}

// Property is a property of an object.
type Property struct {
	Name  string
	Value Value
	Pos   Pos    // where it was assigned last
	Shown string // the expression that was assigned, without texts
}

// EndError reports a program that never reaches its end: it calls exit, or requires a
// file that does not exist.
type EndError struct {
	Pos     Pos
	Problem string
	Unset   []Use // environment variables that it read and that are not set
}

func (e *EndError) Error() string { return e.Pos.String() + ": " + e.Problem }

// Run evaluates a file. It returns a *SyntaxError, *EndError or *LimitError, the error
// of ctx, or an error of reading the file itself.
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
// order of their first assignment. open is not nil if there may be others; if the
// value of the variable is unknown, it says why.
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

// LimitError reports a program that exceeds a limit.
type LimitError struct {
	Pos     Pos
	Problem string
}

func (e *LimitError) Error() string { return e.Pos.String() + ": " + e.Problem }

// note records that an environment variable is not set.
func (ev *evaluator) note(name string, at Pos) {
	if !slices.ContainsFunc(ev.unset, func(u Use) bool { return u.Name == name }) && len(ev.unset) < 1000 {
		ev.unset = append(ev.unset, Use{name, at})
	}
}
