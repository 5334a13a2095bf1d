package php

import "strings"

// callable returns the function of the program that a value names, nil for none.
func (ev *evaluator) callable(v Value) (fn *function, bound map[string]Value) {
	switch v.kind {
	case KindFunction:
		return v.fn.fn, v.fn.bound
	case KindString:
		return ev.functions[strings.ToLower(unqualified(v.s))], nil
	}
	return nil, nil
}

// apply calls a function value with known arguments.
func (ev *evaluator) apply(e *call, f Value, args ...Value) Value {
	inner := &call{Pos: e.Pos, of: &literal{e.Pos, f}}
	for _, a := range args {
		inner.args = append(inner.args, argument{value: &literal{e.Pos, a}})
	}
	return ev.call(inner)
}

// higher evaluates PHP functions that call other functions.
func (ev *evaluator) higher(e *call, args []Value) (Value, bool) {
	switch {
	case e.name == "call_user_func" && len(args) > 0 && ev.canCall(args[0]):
		return ev.apply(e, args[0], args[1:]...), true
	case e.name == "call_user_func_array" && len(args) == 2 && ev.canCall(args[0]) && args[1].kind == KindArray:
		var list []Value
		for _, it := range args[1].a.items {
			if it.key.name {
				return null, false
			}
			list = append(list, it.value)
		}
		return ev.apply(e, args[0], list...), true
	case e.name == "array_map" && len(args) == 2 && ev.canCall(args[0]) && args[1].kind == KindArray:
		mapped := newArray()
		for _, it := range args[1].a.items {
			mapped.set(it.key, ev.apply(e, args[0], it.value))
			if !ev.running() {
				return null, true
			}
		}
		return ev.arrayValue(mapped, e.Pos), true
	case e.name == "array_filter" && len(args) > 0 && args[0].kind == KindArray && (len(args) == 1 || len(args) == 2 && ev.canCall(args[1])):
		kept := newArray()
		for _, it := range args[0].a.items {
			v := it.value
			if len(args) == 2 {
				v = ev.apply(e, args[1], it.value)
			}
			truth, known := v.Truth()
			if !ev.running() {
				return null, true
			}
			if !known {
				return unknown(v.why), true
			}
			if truth {
				kept.set(it.key, it.value)
			}
		}
		return ev.arrayValue(kept, e.Pos), true
	}
	return null, false
}

func (ev *evaluator) canCall(v Value) bool {
	return v.kind == KindFunction || v.kind == KindString && !strings.Contains(v.s, "::")
}

// callbacks evaluates the functions of the program among the arguments of a function
// that is not evaluated and may call them any number of times.
func (ev *evaluator) callbacks(e *call, args []Value) {
	if quiet[e.name] {
		return
	}
	for _, a := range args {
		fn, bound := ev.callable(a)
		if fn == nil {
			continue
		}
		why := ev.dunno(e, Function, e.name, "the function %s is not evaluated", e.name).why
		given := make([]argument, len(fn.params))
		for k := range given {
			given[k].value = &literal{e.Pos, unknown(why)}
		}
		ev.repeat(&loopFrame{}, why, func() { ev.invoke(e, fn, bound, given) })
	}
	if ev.hidden != nil && takesCallback[e.name] && ev.running() {
		ev.taint(ev.dunno(e, Function, e.name, "the function %s calls another, which may change it", e.name).why)
	}
}

// takesCallback lists PHP functions that call a function by its name.
var takesCallback = map[string]bool{
	"call_user_func": true, "call_user_func_array": true, "array_map": true, "array_filter": true, "array_reduce": true, "array_walk": true,
	"array_walk_recursive": true, "usort": true, "uasort": true, "uksort": true, "preg_replace_callback": true, "iterator_apply": true, "ob_start": true,
}
