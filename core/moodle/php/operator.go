package php

import (
	"math"
	"strings"
)

func (ev *evaluator) unary(e *unary) Value {
	v := ev.eval(e.operand)
	if v.kind == KindUnknown {
		return v
	}
	switch e.op {
	case "@", "&":
		return v
	case "!":
		truth, _ := v.Truth()
		return Bool(!truth)
	case "(bool)":
		truth, _ := v.Truth()
		return Bool(truth)
	case "(string)":
		if text, ok := v.Text(); ok {
			return String(text)
		}
	case "(unset)":
		return null
	case "(array)":
		switch v.kind {
		case KindArray:
			return v
		case KindNull:
			return ev.arrayValue(newArray(), e.Pos)
		case KindObject, KindFunction:
		default:
			return ev.arrayValue(list(v), e.Pos)
		}
	case "(object)":
		return ev.objectOf(e, v)
	case "(int)":
		if n, ok := number(v, true); ok {
			return toInt(n)
		}
	case "(float)":
		if n, ok := number(v, true); ok {
			return Float(asFloat(n))
		}
	case "-", "+", "~":
		if n, ok := number(v, false); ok {
			switch {
			case e.op == "+":
				return n
			case e.op == "~" && n.kind == KindInt:
				return Int(^n.n)
			case e.op == "-" && n.kind == KindInt && n.n != math.MinInt64:
				return Int(-n.n)
			case e.op == "-":
				return Float(-asFloat(n))
			}
		}
	}
	return ev.dunno(e, Code, "", "%s of %s is not evaluated", e.op, v.kind)
}

func (ev *evaluator) objectOf(e expr, v Value) Value {
	switch v.kind {
	case KindObject:
		return v
	case KindNull:
		return ev.st.newObject(nil)
	case KindArray:
		o := ev.st.newObject(nil)
		ev.spend(len(v.a.items))
		for _, it := range v.a.items {
			ev.st.objects[o.n].set(it.key.text(), slot{value: it.value, pos: e.pos()})
		}
		return o
	}
	return ev.dunno(e, Code, "", "(object) of %s is not evaluated", v.kind)
}

func (ev *evaluator) binary(e *binary) Value {
	switch e.op {
	case "&&", "and":
		return ev.either(e.left, ev.truth(ev.eval(e.left)), func() Value { return ev.truth(ev.eval(e.right)) }, func() Value { return Bool(false) })
	case "||", "or":
		return ev.either(e.left, ev.truth(ev.eval(e.left)), func() Value { return Bool(true) }, func() Value { return ev.truth(ev.eval(e.right)) })
	case "??":
		left := ev.eval(e.left)
		there := Bool(left.kind != KindNull)
		if left.kind == KindUnknown {
			there = left
		}
		return ev.either(e.left, there, func() Value { return left }, func() Value { return ev.eval(e.right) })
	}
	left := ev.eval(e.left)
	return ev.operate(e, e.op, left, ev.eval(e.right))
}

func (ev *evaluator) truth(v Value) Value {
	if truth, known := v.Truth(); known {
		return Bool(truth)
	}
	return v
}

// operate applies an operator to two values.
func (ev *evaluator) operate(e expr, op string, a, b Value) Value {
	switch {
	case !ev.running():
		return null
	case a.kind == KindUnknown:
		return a
	case b.kind == KindUnknown:
		return b
	}
	ev.spend((len(a.s) + len(b.s)) / 256)
	switch op {
	case ".":
		x, okX := a.Text()
		y, okY := b.Text()
		if okX && okY {
			if len(x)+len(y) > maxText {
				return ev.text(e, strings.Repeat(" ", maxText+1))
			}
			return ev.text(e, x+y)
		}
	case "xor":
		x, _ := a.Truth()
		y, _ := b.Truth()
		return Bool(x != y)
	case "==", "!=", "<>", "===", "!==", "<", ">", "<=", ">=", "<=>":
		return ev.compare(e, op, a, b)
	case "+":
		if a.kind == KindArray && b.kind == KindArray {
			sum := a.a.clone()
			ev.spend(len(sum.items) + len(b.a.items))
			for _, it := range b.a.items {
				if _, ok := sum.get(it.key); !ok {
					sum.set(it.key, it.value)
				}
			}
			return ev.arrayValue(sum, e.pos())
		}
	}
	if v, ok := arithmetic(op, a, b); ok {
		return v
	}
	return ev.dunno(e, Code, "", "the operator %s with %s and %s is not evaluated", op, a.kind, b.kind)
}
