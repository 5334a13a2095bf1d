package php

// merger merges the two states that an unknown condition may lead to.
type merger struct {
	ev  *evaluator
	why *Reason
}

func (m merger) state(a, b *state) *state {
	m.ev.spend(a.size() + b.size())
	for k, sc := range a.scopes {
		if k < len(b.scopes) {
			other := b.scopes[k]
			m.slots(sc.vars, other.vars, sc.open, other.open)
			sc.open = either(sc.open, other.open)
		}
	}
	for k, o := range b.objects {
		if k >= len(a.objects) {
			a.objects = append(a.objects, o)
			continue
		}
		mine := a.objects[k]
		for _, name := range o.names {
			if _, ok := mine.slots[name]; !ok {
				mine.names = append(mine.names, name)
			}
		}
		m.slots(mine.slots, o.slots, mine.open, o.open)
		mine.open = either(mine.open, o.open)
	}
	m.slots(a.consts, b.consts, a.sealed, b.sealed)
	a.sealed = either(a.sealed, b.sealed)
	for file := range a.once {
		if !b.once[file] {
			delete(a.once, file)
		}
	}
	for k, v := range b.env {
		if mine, ok := a.env[k]; ok {
			a.env[k] = m.value(mine, v)
		} else {
			a.env[k] = unknown(m.why)
		}
	}
	for k := range a.env {
		if _, ok := b.env[k]; !ok {
			a.env[k] = unknown(m.why)
		}
	}
	return a
}

func either(a, b *Reason) *Reason {
	if a != nil {
		return a
	}
	return b
}

// slots merges b into a. A slot that only one side has may or may not exist.
func (m merger) slots(a, b map[string]slot, openA, openB *Reason) {
	for name, theirs := range b {
		mine, ok := a[name]
		switch {
		case !ok:
			theirs.value = unknown(m.why)
			a[name] = theirs
		case mine != theirs:
			if v := m.value(mine.value, theirs.value); v.kind == KindUnknown && mine.value.kind != KindUnknown {
				mine.value = v
				if theirs.pos.Line > mine.pos.Line {
					mine.pos, mine.shown = theirs.pos, theirs.shown
				}
				a[name] = mine
			} else {
				mine.value = v
				a[name] = mine
			}
		}
	}
	for name, mine := range a {
		if _, ok := b[name]; !ok {
			mine.value = unknown(m.why)
			a[name] = mine
		}
	}
}

// value merges two values that may be the result: what differs becomes unknown.
func (m merger) value(a, b Value) Value {
	switch {
	case a == b:
		return a
	case a.kind == KindUnknown:
		return a
	case b.kind == KindUnknown:
		return b
	case a.kind == KindArray && b.kind == KindArray:
		m.ev.spend(len(a.a.items) + len(b.a.items))
		if m.ev.failed() {
			return unknown(m.why)
		}
		merged := newArray()
		for _, it := range a.a.items {
			other, ok := b.a.get(it.key)
			if !ok {
				merged.set(it.key, unknown(m.why))
				continue
			}
			merged.set(it.key, m.value(it.value, other))
		}
		for _, it := range b.a.items {
			if _, ok := a.a.get(it.key); !ok {
				merged.set(it.key, unknown(m.why))
			}
		}
		return m.ev.arrayValue(merged, m.why.Pos)
	case a.kind == KindFloat && b.kind == KindFloat && a.f != a.f && b.f != b.f: // NAN
		return a
	}
	return unknown(m.why)
}
