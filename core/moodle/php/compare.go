package php

import (
	"strings"
)

// compare applies a comparison operator as PHP 8 does.
func (ev *evaluator) compare(e expr, op string, a, b Value) Value {
	switch {
	case a.kind == KindUnknown:
		return a
	case b.kind == KindUnknown:
		return b
	}
	ev.spend((len(a.s) + len(b.s)) / 256)
	if op == "===" || op == "!==" {
		same, known := ev.identical(a, b)
		if !known {
			return ev.dunno(e, Code, "", "the comparison of %s with %s is not evaluated", a.kind, b.kind)
		}
		return Bool(same == (op == "==="))
	}
	c, known := ev.order(a, b)
	if !known {
		return ev.dunno(e, Code, "", "the comparison of %s with %s is not evaluated", a.kind, b.kind)
	}
	switch op {
	case "==":
		return Bool(c == 0)
	case "!=", "<>":
		return Bool(c != 0)
	case "<":
		return Bool(c < 0)
	case ">":
		return Bool(c > 0)
	case "<=":
		return Bool(c <= 0)
	case ">=":
		return Bool(c >= 0)
	}
	return Int(int64(c))
}

func (ev *evaluator) identical(a, b Value) (same, known bool) {
	if a.kind == KindUnknown || b.kind == KindUnknown {
		return false, false
	}
	if a.kind != b.kind {
		return false, true
	}
	switch a.kind {
	case KindArray:
		if len(a.a.items) != len(b.a.items) {
			return false, true
		}
		ev.spend(len(a.a.items))
		for k, it := range a.a.items {
			if it.key != b.a.items[k].key {
				return false, true
			}
			if same, known := ev.identical(it.value, b.a.items[k].value); !known || !same {
				return same, known
			}
		}
		return true, true
	case KindFunction:
		return a.fn == b.fn, true
	}
	return a == b, true
}

// order compares loosely; the result is below, at or above 0.
func (ev *evaluator) order(a, b Value) (c int, known bool) {
	switch {
	case a.kind == KindBool, b.kind == KindBool, a.kind == KindNull && b.kind != KindString, b.kind == KindNull && a.kind != KindString:
		x, okX := a.Truth()
		y, okY := b.Truth()
		return compareBool(x, y), okX && okY
	case a.kind == KindNull || b.kind == KindNull:
		return strings.Compare(a.s, b.s), true // null is ""
	case a.kind == KindArray && b.kind == KindArray:
		if same, known := ev.identical(a, b); same && known {
			return 0, true
		}
		return 0, false
	case a.kind >= KindArray || b.kind >= KindArray:
		return 0, false
	}
	x, okX := number(a, false)
	y, okY := number(b, false)
	if a.kind == KindString && b.kind == KindString && !(okX && okY) || !okX || !okY {
		s, _ := a.Text()
		t, _ := b.Text()
		return strings.Compare(s, t), true
	}
	if x.kind == KindInt && y.kind == KindInt {
		return compareInt(x.n, y.n), true
	}
	f, g := asFloat(x), asFloat(y)
	switch {
	case f < g:
		return -1, true
	case f > g:
		return 1, true
	}
	return 0, f == g
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func compareInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
