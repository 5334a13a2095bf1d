package php

import (
	"context"
	"fmt"
)

// control is how a statement ended.
type control int

const (
	ctlRun      control = iota // the next statement follows
	ctlBreak                   // of ev.levels loops
	ctlContinue                // of the loop ev.levels further out
	ctlReturn                  // with ev.ret
	ctlDie                     // this path ends and yields nothing
	ctlEnd                     // the program has reached its end
	ctlStop                    // ev.err
)

// outcome describes where a branch ended.
type outcome struct {
	st     *state
	ctl    control
	levels int
	ret    Value
	why    *Reason // the condition that led there
}

// frame is a call or a file, and merges the results of its returns in branches.
type frame struct {
	returns []outcome
	loops   []*loopFrame
}

type loopFrame struct{ breaks, continues []outcome }

// evaluator walks a tree. st and ctl hold the effects of the code; expressions and
// statements do nothing unless ctl is ctlRun.
type evaluator struct {
	ctx    context.Context
	opts   Options
	st     *state
	ctl    control
	levels int
	ret    Value
	frame  *frame
	err    error

	steps     int
	calls     int // depth
	includes  int // depth
	ends      []outcome
	death     *Reason // the last exit
	functions map[string]*function
	ambiguous map[string]bool // functions with different declarations
	perhaps   map[string]bool // functions that an unknown branch declares
	splits    int             // unknown branches around the current code
	hidden    *Reason         // why calls that are not evaluated may change everything
	doubts    int             // number of pieces of code that were not evaluated
	included  []string
	parsed    map[string][]stmt // of included files
	unset     []Use
	at        Pos
}

// spend counts steps and stops the program when it exceeds the limit.
func (ev *evaluator) spend(n int) {
	ev.steps += n
	if ev.err != nil {
		return
	}
	if ev.steps > ev.opts.Limits.Steps {
		ev.fail(&LimitError{ev.at, "evaluating the file takes too many steps"})
	} else if err := ev.ctx.Err(); err != nil {
		ev.fail(err)
	}
}

func (ev *evaluator) fail(err error) { ev.err, ev.ctl = err, ctlStop }

func (ev *evaluator) failed() bool { return ev.err != nil }

func (ev *evaluator) running() bool { return ev.ctl == ctlRun }

// hide records that code which is not evaluated may change global variables when it
// is called.
func (ev *evaluator) hide(at Pos, problem string) {
	if ev.hidden == nil {
		ev.hidden = &Reason{Cause: Code, Pos: at, Problem: problem}
	}
}

// taint makes all values unknown.
func (ev *evaluator) taint(why *Reason) {
	ev.spend(ev.st.size())
	ev.st.taint(why)
}

// split evaluates both branches of an unknown condition.
func (ev *evaluator) split(why *Reason, yes, no func()) {
	ev.spend(2 * ev.st.size())
	if !ev.running() {
		return
	}
	ev.splits++
	defer func() { ev.splits-- }()
	other := ev.st.clone()
	yes()
	a := outcome{ev.st, ev.ctl, ev.levels, ev.ret, why}
	if ev.err != nil {
		return
	}
	ev.st, ev.ctl = other, ctlRun
	no()
	b := outcome{ev.st, ev.ctl, ev.levels, ev.ret, why}
	if ev.err != nil {
		return
	}
	ev.join(why, a, b)
}

// join continues with the merged state of two branches. Branches that end differently
// (break, return) are merged where their control flow meets.
func (ev *evaluator) join(why *Reason, a, b outcome) {
	switch {
	case a.ctl == ctlDie:
		ev.resume(b)
	case b.ctl == ctlDie:
		ev.resume(a)
	case a.ctl == b.ctl && (a.levels == b.levels || a.ctl == ctlRun || a.ctl == ctlReturn || a.ctl == ctlEnd):
		m := merger{ev, why}
		a.st = m.state(a.st, b.st)
		a.ret = m.value(a.ret, b.ret)
		ev.resume(a)
	case a.ctl == ctlRun:
		ev.park(b)
		ev.resume(a)
	default:
		ev.park(a)
		ev.resume(b)
	}
}

func (ev *evaluator) resume(o outcome) {
	if ev.err == nil {
		ev.st, ev.ctl, ev.levels, ev.ret = o.st, o.ctl, o.levels, o.ret
	}
}

// park keeps a branch until its control flow meets that of the others.
func (ev *evaluator) park(o outcome) {
	switch o.ctl {
	case ctlEnd:
		ev.ends = append(ev.ends, o)
	case ctlReturn:
		ev.frame.returns = append(ev.frame.returns, o)
	case ctlBreak, ctlContinue:
		k := len(ev.frame.loops) - o.levels
		if k < 0 {
			return // an error in PHP
		}
		l := ev.frame.loops[k]
		if o.ctl == ctlBreak {
			l.breaks = append(l.breaks, o)
		} else {
			l.continues = append(l.continues, o)
		}
	}
}

// gather merges parked branches into the current one, which continues.
func (ev *evaluator) gather(parked []outcome) {
	for _, p := range parked {
		if ev.err != nil {
			return
		}
		switch ev.ctl {
		case ctlRun:
			m := merger{ev, p.why}
			ev.st = m.state(p.st, ev.st)
			ev.ret = m.value(p.ret, ev.ret)
			continue
		case ctlDie:
		default:
			ev.park(outcome{ev.st, ev.ctl, ev.levels, ev.ret, p.why})
		}
		ev.st, ev.ctl, ev.ret = p.st, ctlRun, p.ret
	}
}

// finish ends a call or a file, and continues with the branches that returned.
func (ev *evaluator) finish(f *frame) {
	switch ev.ctl {
	case ctlReturn:
		ev.ctl = ctlRun
	case ctlRun:
		ev.ret = null
	case ctlBreak, ctlContinue:
		ev.ctl = ctlDie // outside of a loop: an error in PHP
	}
	ev.gather(f.returns)
	f.returns = nil
}

// cond returns the reason of a branch whose condition is unknown.
func cond(at Pos, of *Reason) *Reason {
	if of.Cause == Conditional && of.Of != nil {
		of = of.Of
	}
	return &Reason{Cause: Conditional, Pos: at, Of: of, Problem: "a condition is not known"}
}

// dunno returns an unknown value for an expression.
func (ev *evaluator) dunno(e expr, c Cause, name, format string, args ...any) Value {
	ev.doubts++
	return unknown(&Reason{Cause: c, Name: name, Pos: e.pos(), Expr: show(e), Problem: fmt.Sprintf(format, args...)})
}

// Limits of single values; a value that exceeds one becomes unknown.
const maxText = 1 << 20

// text returns a string, or an unknown value if it is too long.
func (ev *evaluator) text(e expr, s string) Value {
	ev.spend(len(s) / 256)
	if len(s) > maxText {
		return ev.dunno(e, Limit, "", "the string is longer than %d bytes", maxText)
	}
	return String(s)
}

// arrayValue returns an array, or an unknown value if it is too large.
func (ev *evaluator) arrayValue(a *array, at Pos) Value {
	if a.size > maxElements || a.depth > maxArrays {
		ev.doubts++
		return unknown(&Reason{Cause: Limit, Pos: at, Problem: fmt.Sprintf("the array has more than %d elements or %d levels", maxElements, maxArrays)})
	}
	return Value{kind: KindArray, a: a}
}
