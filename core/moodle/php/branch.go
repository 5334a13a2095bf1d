package php

func (ev *evaluator) ternary(e *ternary) Value {
	c := ev.eval(e.cond)
	yes := func() Value {
		if e.yes == nil {
			return c
		}
		return ev.eval(e.yes)
	}
	return ev.either(e.cond, c, yes, func() Value { return ev.eval(e.no) })
}

// either returns the value of one of two branches, merged from both if the condition
// is unknown.
func (ev *evaluator) either(e expr, c Value, yes, no func() Value) Value {
	if !ev.running() {
		return null
	}
	truth, known := c.Truth()
	if known && truth {
		return yes()
	} else if known {
		return no()
	}
	var a, b Value
	var deadA, deadB bool
	why := cond(e.pos(), c.why)
	ev.split(why, func() { a = yes(); deadA = !ev.running() }, func() { b = no(); deadB = !ev.running() })
	switch {
	case ev.err != nil:
		return null
	case deadA:
		return b
	case deadB:
		return a
	}
	return merger{ev, why}.value(a, b)
}

func (ev *evaluator) match(e *match, subject Value, k int) Value {
	for ; k < len(e.arms) && ev.running(); k++ {
		arm := e.arms[k]
		for _, when := range arm.when {
			is := ev.compare(when, "===", subject, ev.eval(when))
			if truth, known := is.Truth(); known && !truth {
				continue
			}
			return ev.either(when, is, func() Value { return ev.eval(arm.value) }, func() Value {
				rest := *arm.tail(when)
				if len(rest.when) > 0 {
					alt := *e
					alt.arms = append([]matchArm{rest}, e.arms[k+1:]...)
					alt.arms = append(alt.arms, defaultOf(e.arms[:k])...)
					return ev.match(&alt, subject, 0)
				}
				return ev.match(e, subject, k+1)
			})
		}
	}
	for _, arm := range e.arms {
		if arm.when == nil {
			return ev.eval(arm.value)
		}
	}
	if ev.running() { // PHP throws
		ev.death = &Reason{Cause: Code, Pos: e.Pos, Problem: "no branch of match fits"}
		ev.ctl = ctlDie
	}
	return null
}

// tail returns the arm with the conditions that follow one of them.
func (a matchArm) tail(after expr) *matchArm {
	for k, w := range a.when {
		if w == after {
			return &matchArm{a.when[k+1:], a.value}
		}
	}
	return &matchArm{}
}

func defaultOf(arms []matchArm) []matchArm {
	for _, a := range arms {
		if a.when == nil {
			return []matchArm{a}
		}
	}
	return nil
}
