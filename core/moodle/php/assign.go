package php

func (ev *evaluator) assign(e *assign) Value {
	if l, ok := e.target.(*arrayLiteral); ok {
		v := ev.eval(e.value)
		ev.destructure(l, v, e.Pos)
		return v
	}
	if e.ref {
		switch e.value.(type) {
		case *variable, *index, *property:
			v := ev.loosen(e.value)
			ev.assignTo(e.target, v, e.Pos, show(e.value))
			return v
		}
	}
	if e.op == "" {
		v := ev.eval(e.value)
		ev.assignTo(e.target, v, e.Pos, show(e.value))
		return v
	}
	p := ev.resolve(e.target)
	old := ev.read(e.target, p)
	if e.op == "??" {
		there := Bool(old.kind != KindNull)
		if old.kind == KindUnknown {
			there = old
		}
		return ev.either(e.target, there, func() Value { return old }, func() Value {
			v := ev.eval(e.value)
			ev.write(p, v, e.Pos, show(e.value))
			return v
		})
	}
	v := ev.operate(e, e.op, old, ev.eval(e.value))
	ev.write(p, v, e.Pos, show(e.value))
	return v
}

// assignTo assigns to a variable, a property, a key, or a list of them.
func (ev *evaluator) assignTo(target expr, v Value, at Pos, shown string) {
	if !ev.running() {
		return
	}
	switch target := target.(type) {
	case *arrayLiteral:
		ev.destructure(target, v, at)
	case *variable, *index, *property:
		p := ev.resolve(target)
		if name, ok := target.(*variable); ok && p.why != nil && name.of != nil {
			ev.taint(p.why) // $$name may be any variable
			return
		}
		ev.write(p, v, at, shown)
	default:
		ev.eval(target)
	}
}

// destructure assigns the elements of an array: [$a, 'k' => $b] = …
func (ev *evaluator) destructure(l *arrayLiteral, v Value, at Pos) {
	next := int64(0)
	for _, it := range l.items {
		k := intKey(next)
		next++
		if it.value == nil {
			continue
		}
		var why *Reason
		if it.key != nil {
			k, why = ev.key(it.key, ev.eval(it.key))
		}
		one := unknown(why)
		if why == nil {
			one = ev.element(l, v, k, false)
		}
		ev.assignTo(it.value, one, at, "")
	}
}

// step evaluates ++ and --.
func (ev *evaluator) step(e *step) Value {
	p := ev.resolve(e.target)
	old := ev.read(e.target, p)
	var v Value
	switch {
	case old.kind == KindUnknown:
		v = old
	case old.kind == KindNull && e.by < 0:
		v = null
	default:
		v = ev.operate(e, "+", old, Int(e.by))
	}
	ev.write(p, v, e.Pos, "")
	if e.after {
		return old
	}
	return v
}
