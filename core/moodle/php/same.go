package php

// same reports whether two states are equal.
func (s *state) same(o *state) bool {
	if len(s.scopes) != len(o.scopes) || len(s.objects) != len(o.objects) || s.sealed != o.sealed {
		return false
	}
	for k, sc := range s.scopes {
		if (sc.open == nil) != (o.scopes[k].open == nil) || !sameSlots(sc.vars, o.scopes[k].vars) {
			return false
		}
	}
	for k, ob := range s.objects {
		if (ob.open == nil) != (o.objects[k].open == nil) || !sameSlots(ob.slots, o.objects[k].slots) {
			return false
		}
	}
	return sameSlots(s.consts, o.consts)
}

func sameSlots(a, b map[string]slot) bool {
	if len(a) != len(b) {
		return false
	}
	for name, x := range a {
		y, ok := b[name]
		if !ok || !sameValue(x.value, y.value) {
			return false
		}
	}
	return true
}

func sameValue(x, y Value) bool {
	if x == y || x.kind == KindUnknown && y.kind == KindUnknown {
		return true
	}
	if x.kind != KindArray || y.kind != KindArray || len(x.a.items) != len(y.a.items) {
		return false
	}
	for k, it := range x.a.items {
		if it.key != y.a.items[k].key || !sameValue(it.value, y.a.items[k].value) {
			return false
		}
	}
	return true
}
