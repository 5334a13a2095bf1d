package php

// iterate runs the body of a loop once. more is false if the loop has ended.
func (ev *evaluator) iterate(l *loopFrame, body []stmt) (more bool) {
	ev.body(body)
	over := ev.leave(false)
	continues := l.continues
	l.continues = nil
	if over && len(continues) > 0 && ev.err == nil {
		// This branch leaves the loop, others continue.
		if ev.ctl == ctlRun {
			l.breaks = append(l.breaks, outcome{ev.st, ctlBreak, 1, ev.ret, continues[0].why})
		} else if ev.ctl != ctlDie {
			ev.park(outcome{ev.st, ev.ctl, ev.levels, ev.ret, continues[0].why})
		}
		first := continues[0]
		ev.st, ev.ctl, ev.ret = first.st, ctlRun, first.ret
		continues = continues[1:]
		over = false
	}
	ev.gather(continues)
	return !over && ev.running()
}

// leave decreases the level of break and continue; over reports whether the loop ends.
func (ev *evaluator) leave(isSwitch bool) (over bool) {
	switch ev.ctl {
	case ctlRun:
		return false
	case ctlContinue:
		if ev.levels <= 1 {
			ev.ctl = ctlRun
			return isSwitch
		}
		ev.levels--
	case ctlBreak:
		if ev.levels <= 1 {
			ev.ctl = ctlRun
			return true
		}
		ev.levels--
	}
	return true
}

// inLoop runs f as the body of a loop, to which break and continue refer.
func (ev *evaluator) inLoop(f func(*loopFrame)) {
	l := &loopFrame{}
	ev.frame.loops = append(ev.frame.loops, l)
	f(l)
	ev.frame.loops = ev.frame.loops[:len(ev.frame.loops)-1]
	ev.gather(append(l.continues, l.breaks...))
}

func (ev *evaluator) loop(s *loop) {
	ev.conditionOf(s.init)
	ev.inLoop(func(l *loopFrame) {
		for first := true; ev.running(); first = false {
			if !first || !s.bodyFirst {
				v := ev.conditionOf(s.cond)
				truth, known := v.Truth()
				if ev.running() && !known {
					ev.repeat(l, cond(s.Pos, v.why), func() {
						ev.body(s.body)
						ev.leave(false)
						if ev.running() {
							ev.conditionOf(s.after)
							ev.conditionOf(s.cond)
						}
					})
					return
				}
				if !ev.running() || !truth {
					return
				}
			}
			ev.spend(1)
			if !ev.iterate(l, s.body) {
				return
			}
			ev.conditionOf(s.after)
		}
	})
}

// repeat runs code that PHP would run an unknown number of times. It stops when the
// state no longer changes; values that differ between iterations become unknown.
func (ev *evaluator) repeat(l *loopFrame, why *Reason, once func()) {
	for range 10 {
		ev.spend(2 * ev.st.size())
		if !ev.running() {
			return
		}
		before := ev.st.clone()
		ev.split(why, func() {
			once()
			parked := append(l.continues, l.breaks...)
			l.continues, l.breaks = nil, nil
			ev.gather(parked)
		}, func() {})
		if !ev.running() || ev.st.same(before) {
			return
		}
	}
	ev.taint(why)
}

func (ev *evaluator) foreach(s *foreach) {
	over := ev.eval(s.over)
	if !ev.running() {
		return
	}
	bind := func(k, v Value) {
		if s.key != nil {
			ev.assignTo(s.key, k, s.Pos, "")
		}
		ev.assignTo(s.value, v, s.Pos, "")
	}
	ev.inLoop(func(l *loopFrame) {
		if over.kind == KindArray && !s.ref {
			for _, it := range over.a.items {
				if ev.spend(1); !ev.running() {
					return
				}
				bind(it.key.value(), it.value)
				if !ev.iterate(l, s.body) {
					return
				}
			}
			return
		}
		if over.kind != KindUnknown && over.kind != KindArray && over.kind != KindObject {
			return // PHP warns
		}
		v := ev.dunno(s.over, Code, "", "the loop is not evaluated")
		if over.kind == KindUnknown {
			v = over
		}
		if s.ref {
			ev.assignTo(s.over, v, s.Pos, "")
		}
		ev.repeat(l, cond(s.Pos, v.why), func() {
			bind(v, v)
			ev.body(s.body)
			ev.leave(false)
		})
	})
}

func (ev *evaluator) switchOver(s *switchStmt) {
	subject := ev.eval(s.subject)
	ev.inLoop(func(l *loopFrame) {
		ev.cases(s, subject, 0)
		ev.leave(true)
		parked := l.continues
		l.continues = nil
		ev.gather(parked)
	})
}

// cases evaluates the cases of a switch, beginning with the k-th.
func (ev *evaluator) cases(s *switchStmt, subject Value, k int) {
	from := func(k int) {
		for ; k < len(s.cases) && ev.running(); k++ {
			ev.body(s.cases[k].body)
		}
	}
	for ; k < len(s.cases) && ev.running(); k++ {
		c := s.cases[k]
		if c.when == nil {
			continue
		}
		is := ev.compare(c.when, "==", subject, ev.eval(c.when))
		truth, known := is.Truth()
		if !known {
			if ev.running() {
				ev.split(cond(c.when.pos(), is.why), func() { from(k) }, func() { ev.cases(s, subject, k+1) })
			}
			return
		}
		if truth {
			from(k)
			return
		}
	}
	for k, c := range s.cases {
		if c.when == nil {
			from(k)
			return
		}
	}
}
