package php

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// maxIncludes is the maximum depth of includes.
const maxIncludes = 16

// include evaluates another file in the current scope.
func (ev *evaluator) include(e *include) Value {
	v := ev.eval(e.path)
	if !ev.running() {
		return null
	}
	path, ok := v.Text()
	if !ok {
		if ev.isEnd(lastText(e.path)) {
			ev.ctl = ctlEnd
			return null
		}
		return ev.lost(e, "", "", v.why)
	}
	if ev.isEnd(path) {
		ev.ctl = ctlEnd
		return null
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(e.File), path)
	}
	path = filepath.Clean(path)
	if strings.ContainsRune(path, 0) {
		return ev.missing(e, path)
	}
	if ev.spend(1000); !ev.running() {
		return null
	}
	real, err := ev.opts.Files.Real(path)
	if err == nil && e.once && ev.st.once[real] {
		return Bool(true)
	}
	var src []byte
	if err == nil {
		src, err = ev.opts.Files.Read(real)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ev.missing(e, path)
	case err != nil:
		return ev.lost(e, path, err.Error(), nil)
	case len(src) > ev.opts.Limits.FileSize:
		return ev.lost(e, path, fmt.Sprintf("it is larger than %d bytes", ev.opts.Limits.FileSize), nil)
	case len(ev.included) >= ev.opts.Limits.Files || ev.includes >= maxIncludes:
		return ev.lost(e, path, "there are too many includes", nil)
	}
	list, parsed := ev.parsed[real]
	if !parsed {
		ev.spend(len(src) / 64)
		var hidden bool
		if list, hidden, err = parse(real, string(src)); err != nil {
			return ev.lost(e, path, err.Error(), nil)
		}
		ev.parsed[real] = list
		ev.included = append(ev.included, real)
		if hidden {
			ev.hide(Pos{real, 1}, "code of a class, which is not evaluated, uses global variables")
		}
	}
	ev.st.once[real] = true
	return ev.file(list)
}

func (ev *evaluator) file(list []stmt) Value {
	outer := ev.frame
	ev.frame = &frame{}
	ev.includes++
	before := ev.ctl
	ev.body(list)
	if ev.ctl == before && ev.running() {
		ev.ret, ev.ctl = Int(1), ctlReturn
	}
	ev.finish(ev.frame)
	ev.includes--
	ev.frame = outer
	if !ev.running() {
		return null
	}
	v := ev.ret
	ev.ret = null
	return v
}

// isEnd reports whether the program ends at a file, by Options.End.
func (ev *evaluator) isEnd(path string) bool {
	path = strings.ReplaceAll(path, `\`, "/")
	for _, end := range ev.opts.End {
		if strings.HasSuffix("/"+path, end) {
			return true
		}
	}
	return false
}

// lastText returns the text at the end of an expression.
func lastText(e expr) string {
	switch e := e.(type) {
	case *literal:
		text, _ := e.value.Text()
		return text
	case *binary:
		if e.op == "." {
			return lastText(e.right)
		}
	case *template:
		if len(e.parts) > 0 {
			return lastText(e.parts[len(e.parts)-1])
		}
	}
	return ""
}

// missing handles an include of a file that does not exist; require ends the program.
func (ev *evaluator) missing(e *include, path string) Value {
	ev.doubts++
	if e.required {
		ev.death = &Reason{Cause: File, Name: path, Pos: e.Pos, Problem: "the required file " + path + " does not exist"}
		ev.ctl = ctlDie
		return null
	}
	return Bool(false)
}

// lost handles an include of a file that cannot be read, which may set anything.
func (ev *evaluator) lost(e *include, path, problem string, of *Reason) Value {
	ev.doubts++
	why := &Reason{Cause: File, Name: path, Pos: e.Pos, Expr: show(e), Problem: "a file that is included cannot be read: " + problem}
	if path == "" {
		why.Problem, why.Of = "which file is included is not known", of
	}
	ev.taint(why)
	ev.hide(e.Pos, why.Problem)
	return unknown(why)
}
