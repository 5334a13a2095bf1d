package php

// body runs statements in order. Functions that they declare are declared first.
func (ev *evaluator) body(list []stmt) {
	for _, s := range list {
		if f, ok := s.(*functionStmt); ok {
			ev.declare(f.fn)
		}
	}
	for _, s := range list {
		if !ev.running() {
			return
		}
		ev.exec(s)
	}
}

// declare declares a function. If branches declare different functions of one name,
// calls of it are unknown.
func (ev *evaluator) declare(fn *function) {
	old, ok := ev.functions[fn.name]
	if ok && old != fn {
		ev.ambiguous[fn.name] = true
	}
	if !ok {
		ev.functions[fn.name] = fn
		ev.perhaps[fn.name] = ev.splits > 0
	}
}

func (ev *evaluator) exec(s stmt) {
	ev.at = s.pos()
	if ev.spend(1); !ev.running() {
		return
	}
	switch s := s.(type) {
	case *exprStmt:
		ev.eval(s.of)
	case *block:
		ev.body(s.list)
	case *ifStmt:
		ev.choose(s.cond, func() { ev.body(s.then) }, func() { ev.body(s.els) })
	case *loop:
		ev.loop(s)
	case *foreach:
		ev.foreach(s)
	case *switchStmt:
		ev.switchOver(s)
	case *jump:
		ev.levels, ev.ctl = s.levels, ctlContinue
		if s.brk {
			ev.ctl = ctlBreak
		}
	case *returnStmt:
		v := null
		if s.value != nil {
			v = ev.eval(s.value)
		}
		if ev.running() {
			ev.ret, ev.ctl = v, ctlReturn
		}
	case *unsetStmt:
		for _, e := range s.of {
			ev.unsetPlace(e)
		}
	case *globalStmt:
		ev.global(s)
	case *staticStmt:
		for _, name := range s.names {
			ev.setVariable(name, slot{value: ev.dunno(&variable{Pos: s.Pos, name: name}, Code, name, "it is a static variable"), pos: s.Pos})
		}
	case *constStmt:
		ev.define(s.name, ev.eval(s.value), s.Pos)
	case *functionStmt:
		ev.declare(s.fn)
	case *tryStmt:
		ev.try(s)
	}
}

// choose runs one of two branches, or both if the condition is unknown.
func (ev *evaluator) choose(condition expr, yes, no func()) {
	v := ev.eval(condition)
	if !ev.running() {
		return
	}
	truth, known := v.Truth()
	switch {
	case !known:
		ev.split(cond(condition.pos(), v.why), yes, no)
	case truth:
		yes()
	default:
		no()
	}
}

// conditionOf evaluates expressions and returns the value of the last one.
func (ev *evaluator) conditionOf(list []expr) Value {
	v := Bool(true)
	for _, e := range list {
		v = ev.eval(e)
	}
	return v
}

// try runs the body. If something in the body was not evaluated, it may have thrown,
// so the handlers may run too.
func (ev *evaluator) try(s *tryStmt) {
	doubts, before := ev.doubts, ev.st.clone()
	ev.spend(2 * before.size())
	ev.body(s.body)
	if ev.err != nil {
		return
	}
	threw := ev.ctl == ctlDie
	if (threw || ev.doubts > doubts) && len(s.catches) > 0 {
		why := &Reason{Cause: Code, Pos: s.Pos, Problem: "an exception may end the block try"}
		after := outcome{ev.st, ev.ctl, ev.levels, ev.ret, why}
		ev.st, ev.ctl = merger{ev, why}.state(before, ev.st.clone()), ctlRun
		ev.catch(why, s.catches)
		if ev.err != nil {
			return
		}
		ev.join(why, after, outcome{ev.st, ev.ctl, ev.levels, ev.ret, why})
	}
	if len(s.finally) > 0 && ev.err == nil {
		o := outcome{ctl: ev.ctl, levels: ev.levels, ret: ev.ret}
		ev.ctl = ctlRun
		ev.body(s.finally)
		if ev.ctl == ctlRun {
			ev.ctl, ev.levels, ev.ret = o.ctl, o.levels, o.ret
		}
	}
}

// catch runs several handlers, one of which PHP would run.
func (ev *evaluator) catch(why *Reason, catches [][]stmt) {
	if len(catches) == 1 {
		ev.body(catches[0])
		return
	}
	ev.split(why, func() { ev.body(catches[0]) }, func() { ev.catch(why, catches[1:]) })
}

// global makes variables of the file visible in a function.
func (ev *evaluator) global(s *globalStmt) {
	top := ev.st.scopes[len(ev.st.scopes)-1]
	for _, e := range s.names {
		if v, ok := e.(*variable); ok && v.of == nil && len(ev.st.scopes) > 1 {
			if top.global == nil {
				top.global = map[string]bool{}
			}
			top.global[v.name] = true
		}
	}
}
