package php

// place is the location of a value: a variable or a property, and keys of the arrays
// in it. why is set if the location is unknown.
type place struct {
	name   string // of the variable or property
	file   bool   // a variable of the file, not of the current function
	object int    // the object that has the property name; -1 for a variable
	keys   []hop
	why    *Reason
}

// hop is one key on the path to a value; add is set for [] without a key.
type hop struct {
	key key
	add bool
}

// resolve returns the place of an expression that can be assigned to. It evaluates
// each part of the expression once.
func (ev *evaluator) resolve(e expr) place {
	switch e := e.(type) {
	case *variable:
		name, why := ev.variableName(e)
		return place{name: name, object: -1, why: why}
	case *index:
		if v, ok := e.base.(*variable); ok && v.name == "GLOBALS" && e.key != nil {
			k, why := ev.key(e.key, ev.eval(e.key))
			return place{name: k.text(), file: true, object: -1, why: why}
		}
		p := ev.resolve(e.base)
		if e.key == nil {
			p.keys = append(p.keys, hop{add: true})
			return p
		}
		k, why := ev.key(e.key, ev.eval(e.key))
		if p.why == nil && why != nil {
			// An unknown element changes, so the whole array becomes unknown.
			ev.write(p, unknown(why), e.Pos, "")
			p.why = why
		}
		p.keys = append(p.keys, hop{key: k})
		return p
	case *property:
		return ev.resolveProperty(e)
	case *opaque, *call:
		v := ev.eval(e)
		return place{object: -1, why: ev.reasonOf(e, v)}
	}
	return place{object: -1, why: ev.dunno(e, Code, "", "it is not evaluated").why}
}

func (ev *evaluator) variableName(e *variable) (string, *Reason) {
	if e.of == nil {
		return e.name, nil
	}
	v := ev.eval(e.of)
	if text, ok := v.Text(); ok {
		return text, nil
	}
	return "", ev.reasonOf(e.of, v)
}

func (ev *evaluator) propertyName(e *property) (string, *Reason) {
	if e.of == nil {
		return e.name, nil
	}
	v := ev.eval(e.of)
	if text, ok := v.Text(); ok {
		return text, nil
	}
	return "", ev.reasonOf(e.of, v)
}

func (ev *evaluator) resolveProperty(e *property) place {
	base := ev.eval(e.base)
	if base.kind == KindNull && ev.running() {
		// PHP before 8 created an object here.
		if at := ev.resolve(e.base); at.why == nil {
			base = ev.st.newObject(nil)
			ev.write(at, base, e.Pos, "")
		}
	}
	name, why := ev.propertyName(e)
	if base.kind != KindObject {
		return place{object: -1, why: ev.reasonOf(e.base, base)}
	}
	if why != nil {
		for n, sl := range ev.st.objects[base.n].slots {
			sl.value = unknown(why)
			ev.st.objects[base.n].slots[n] = sl
		}
		ev.st.objects[base.n].open = why
		return place{object: -1, why: why}
	}
	return place{name: name, object: int(base.n)}
}

// slots returns the map that contains the variable or property of a place, and the
// reason why one that is missing there may exist.
func (ev *evaluator) slots(p place) (slots map[string]slot, open *Reason) {
	if p.object >= 0 {
		o := ev.st.objects[p.object]
		return o.slots, o.open
	}
	sc := ev.st.scopeOf(p.name)
	if p.file {
		sc = ev.st.scopes[0]
	}
	return sc.vars, sc.open
}

// write assigns a value to a place.
func (ev *evaluator) write(p place, v Value, at Pos, shown string) {
	if !ev.running() {
		return
	}
	if p.why != nil {
		return
	}
	slots, open := ev.slots(p)
	sl, ok := slots[p.name]
	if !ok && open != nil && len(p.keys) > 0 {
		sl.value = unknown(open)
	}
	if len(p.keys) > 0 {
		v = ev.inArray(sl.value, p.keys, v, at)
	}
	sl = slot{value: v, pos: at, shown: shown}
	if p.object >= 0 {
		ev.st.objects[p.object].set(p.name, sl)
		return
	}
	slots[p.name] = sl
}

// inArray returns base with a value at the keys.
func (ev *evaluator) inArray(base Value, keys []hop, v Value, at Pos) Value {
	if len(keys) == 0 {
		return v
	}
	var a *array
	switch base.kind {
	case KindArray:
		ev.spend(len(base.a.items)/8 + 1)
		a = base.a.clone()
	case KindNull:
		a = newArray()
	case KindUnknown:
		return base
	default:
		if base.kind == KindString && base.s == "" || base.kind == KindBool && base.n == 0 {
			a = newArray()
			break
		}
		ev.doubts++
		return unknown(&Reason{Cause: Code, Pos: at, Problem: "a key of " + base.kind.String() + " is assigned"})
	}
	if keys[0].add {
		a.add(ev.inArray(null, keys[1:], v, at))
	} else {
		inner, _ := a.get(keys[0].key)
		a.set(keys[0].key, ev.inArray(inner, keys[1:], v, at))
	}
	return ev.arrayValue(a, at)
}

// read returns the value at a place, null if there is none.
func (ev *evaluator) read(e expr, p place) Value {
	if p.why != nil {
		return unknown(p.why)
	}
	slots, open := ev.slots(p)
	sl, ok := slots[p.name]
	v := sl.value
	if p.object < 0 && superglobal[p.name] {
		return ev.superglobal(e, p, v)
	}
	switch {
	case !ok && open != nil:
		v = unknown(open)
	case !ok && p.object < 0 && (p.name == "argv" || p.name == "argc"):
		v = ev.dunno(e, Server, p.name, "$%s is there on the command line only", p.name)
	}
	for _, k := range p.keys {
		v = ev.element(e, v, k.key, k.add)
	}
	return v
}

// element returns the element of a value at a key.
func (ev *evaluator) element(e expr, v Value, k key, add bool) Value {
	switch v.kind {
	case KindArray:
		if add {
			return null
		}
		item, _ := v.a.get(k)
		return item
	case KindString:
		if n := k.n; !k.name && n >= -int64(len(v.s)) && n < int64(len(v.s)) {
			if n < 0 {
				n += int64(len(v.s))
			}
			return String(v.s[n : n+1])
		}
		return null
	case KindObject, KindFunction:
		return ev.dunno(e, Code, "", "a key of %s is not evaluated", v.kind)
	case KindUnknown:
		return v
	}
	return null
}

// load returns the value of a variable, a key or a property.
func (ev *evaluator) load(e expr) Value {
	switch e := e.(type) {
	case *variable:
		if e.of == nil && e.name == "GLOBALS" {
			return ev.dunno(e, Code, "", "it is not evaluated")
		}
		return ev.read(e, ev.resolve(e))
	case *index:
		if v, ok := e.base.(*variable); ok && v.of == nil && superglobal[v.name] {
			return ev.read(e, ev.resolve(e))
		}
		if inner, ok := e.base.(*index); ok && rootedInSuperglobal(inner) {
			return ev.read(e, ev.resolve(e))
		}
		base := ev.eval(e.base)
		if e.key == nil {
			return null
		}
		k, why := ev.key(e.key, ev.eval(e.key))
		if base.kind == KindUnknown {
			return base
		}
		if why != nil {
			return unknown(why)
		}
		return ev.element(e, base, k, false)
	case *property:
		base := ev.eval(e.base)
		name, why := ev.propertyName(e)
		switch {
		case base.kind == KindUnknown:
			return base
		case base.kind != KindObject:
			return null
		case why != nil:
			return unknown(why)
		}
		return ev.read(e, place{name: name, object: int(base.n)})
	}
	return null
}

func rootedInSuperglobal(e *index) bool {
	for {
		switch base := e.base.(type) {
		case *variable:
			return base.of == nil && superglobal[base.name]
		case *index:
			e = base
		default:
			return false
		}
	}
}

// unsetPlace removes a variable, a property or a key.
func (ev *evaluator) unsetPlace(e expr) {
	p := ev.resolve(e)
	if p.why != nil || !ev.running() {
		return
	}
	slots, open := ev.slots(p)
	if len(p.keys) == 0 {
		switch {
		case open != nil:
			ev.write(p, null, e.pos(), "") // it is known to be gone
		case p.object >= 0:
			ev.st.objects[p.object].unset(p.name)
		default:
			delete(slots, p.name)
		}
		return
	}
	sl := slots[p.name]
	if superglobal[p.name] && p.object < 0 {
		ev.write(p, null, e.pos(), "")
		return
	}
	sl.value = ev.outOfArray(sl.value, p.keys, e.pos())
	slots[p.name] = sl
}

func (ev *evaluator) outOfArray(base Value, keys []hop, at Pos) Value {
	if base.kind != KindArray || keys[0].add {
		return base
	}
	ev.spend(len(base.a.items))
	if len(keys) == 1 {
		return ev.arrayValue(base.a.without(keys[0].key), at)
	}
	inner, ok := base.a.get(keys[0].key)
	if !ok {
		return base
	}
	a := base.a.clone()
	a.set(keys[0].key, ev.outOfArray(inner, keys[1:], at))
	return ev.arrayValue(a, at)
}

// setVariable assigns to a variable of the current scope.
func (ev *evaluator) setVariable(name string, sl slot) {
	if ev.running() {
		ev.st.scopeOf(name).vars[name] = sl
	}
}

// loosen makes the place of an expression unknown, because a reference to it is
// taken, and returns the unknown value.
func (ev *evaluator) loosen(e expr) Value {
	v := ev.dunno(e, Code, "", "a reference to it is taken")
	switch e.(type) {
	case *variable, *index, *property:
		if current := ev.eval(e); current.kind == KindObject {
			return current // an object is one already
		}
		ev.write(ev.resolve(e), v, e.pos(), "")
	}
	return v
}
