package php

import (
	"strings"
)

// maxCalls is the maximum depth of calls.
const maxCalls = 30

func (ev *evaluator) call(e *call) Value {
	if e.of != nil {
		return ev.callValue(e, ev.eval(e.of))
	}
	if ev.ambiguous[e.name] {
		v := ev.dunno(e, Function, e.name, "the function %s is declared more than once", e.name)
		ev.foreign(e, argumentsOf(e.args))
		ev.taint(v.why)
		return v
	}
	if fn := ev.functions[e.name]; fn != nil {
		return ev.invoke(e, fn, nil, e.args)
	}
	if v, ok := ev.special(e); ok || !ev.running() {
		return v
	}
	args := make([]Value, 0, len(e.args))
	for _, a := range e.args {
		v := ev.eval(a.value)
		if a.spread {
			v = ev.dunno(a.value, Code, "", "arguments by name or with ... are not evaluated")
		}
		args = append(args, v)
	}
	if !ev.running() {
		return null
	}
	if v, ok := ev.higher(e, args); ok || !ev.running() {
		return v
	}
	ev.callbacks(e, args)
	ev.changed(e)
	if !ev.running() {
		return null
	}
	return ev.builtin(e, args)
}

// callValue calls a value: a closure, or the name of a function.
func (ev *evaluator) callValue(e *call, f Value) Value {
	switch f.kind {
	case KindFunction:
		return ev.invoke(e, f.fn.fn, f.fn.bound, e.args)
	case KindString:
		named := *e
		named.of, named.name = nil, strings.ToLower(unqualified(f.s))
		return ev.call(&named)
	}
	ev.foreign(e, argumentsOf(e.args))
	return ev.dunno(e, Code, "", "the call is not evaluated")
}

func argumentsOf(args []argument) (list []expr) {
	for _, a := range args {
		list = append(list, a.value)
	}
	return list
}

// invoke evaluates a function that the program declares.
func (ev *evaluator) invoke(e *call, fn *function, bound map[string]Value, args []argument) Value {
	if fn.generator {
		v := ev.dunno(e, Function, fn.name, "a generator is not evaluated")
		ev.taint(v.why)
		return v
	}
	if ev.calls >= maxCalls {
		return ev.dunno(e, Limit, fn.name, "calls are nested more than %d deep", maxCalls)
	}
	inner := &scope{vars: map[string]slot{}}
	if fn.arrow {
		outer := ev.st.scopes[len(ev.st.scopes)-1]
		inner.vars, inner.open, inner.global = copyMap(outer.vars), outer.open, copyMap(outer.global)
		ev.spend(len(inner.vars))
	}
	for name, v := range bound {
		inner.vars[name] = slot{value: v, pos: fn.Pos}
	}
	places := make([]*place, len(fn.params))
	rest := newArray()
	for k, a := range args {
		if k < len(fn.params) && fn.params[k].byRef && !fn.params[k].variadic {
			p := ev.resolve(a.value)
			places[k] = &p
		}
		v := ev.eval(a.value)
		if a.spread {
			v = ev.dunno(a.value, Code, "", "arguments by name or with ... are not evaluated")
		}
		switch {
		case k < len(fn.params) && !fn.params[k].variadic:
			inner.vars[fn.params[k].name] = slot{value: v, pos: fn.Pos}
		default:
			rest.add(v)
		}
	}
	if !ev.running() {
		return null
	}
	ev.calls++
	outer := ev.frame
	ev.frame = &frame{}
	ev.st.scopes = append(ev.st.scopes, inner)
	for k, p := range fn.params {
		if p.variadic {
			ev.setVariable(p.name, slot{value: ev.arrayValue(rest, fn.Pos), pos: fn.Pos})
		} else if k >= len(args) && p.fallback != nil {
			ev.setVariable(p.name, slot{value: ev.eval(p.fallback), pos: fn.Pos})
		}
	}
	ev.body(fn.body)
	ev.finish(ev.frame)
	ev.frame = outer
	ev.calls--
	if len(ev.st.scopes) < 2 {
		return null
	}
	inner = ev.st.scopes[len(ev.st.scopes)-1]
	ev.st.scopes = ev.st.scopes[:len(ev.st.scopes)-1]
	if !ev.running() {
		return null
	}
	ret := ev.ret
	ev.ret = null
	for k, p := range places {
		if p != nil {
			ev.write(*p, inner.vars[fn.params[k].name].value, e.Pos, show(e))
		}
	}
	return ret
}

func (ev *evaluator) closure(e *closure) Value {
	bound := map[string]Value{}
	for _, u := range e.fn.uses {
		v := &variable{Pos: e.Pos, name: u.name}
		if u.byRef {
			bound[u.name] = ev.loosen(v)
		} else {
			bound[u.name] = ev.eval(v)
		}
	}
	return Value{kind: KindFunction, fn: &closureValue{e.fn, bound}}
}

// foreign handles a call of code that is not evaluated. It may change the objects that
// it gets, and global variables if the program contains code that uses them.
func (ev *evaluator) foreign(e expr, of []expr) {
	for _, one := range of {
		if one == nil {
			continue
		}
		if v := ev.eval(one); v.kind == KindObject && ev.running() {
			why := &Reason{Cause: Code, Pos: e.pos(), Expr: show(e), Problem: "a call that is not evaluated may change it"}
			o := ev.st.objects[v.n]
			o.open = why
			taintSlots(o.slots, why)
		}
	}
	if ev.hidden != nil && ev.running() {
		ev.taint(&Reason{Cause: Code, Pos: e.pos(), Expr: show(e), Problem: "a call that is not evaluated may change it"})
	}
}

func (ev *evaluator) opaque(e *opaque) Value {
	if e.make {
		return ev.st.newObject(nil)
	}
	switch e.what {
	case "instanceof":
		return ev.dunno(e, Code, "", "it is not evaluated")
	case "print":
		ev.eval(e.of[0])
		return Int(1)
	case "clone":
		v := ev.eval(e.of[0])
		if v.kind != KindObject {
			return ev.dunno(e, Code, "", "it is not evaluated")
		}
		o := ev.st.objects[v.n]
		ev.spend(len(o.slots))
		c := ev.st.newObject(o.open)
		ev.st.objects[c.n].names, ev.st.objects[c.n].slots = append([]string(nil), o.names...), copyMap(o.slots)
		return c
	case "eval":
		v := ev.dunno(e, Code, "", "it is not evaluated")
		ev.taint(v.why)
		ev.hide(e.Pos, v.why.Problem)
		return v
	}
	ev.foreign(e, e.of)
	return ev.dunno(e, Code, "", "it is not evaluated")
}

// changed makes those arguments unknown that a PHP function changes.
func (ev *evaluator) changed(e *call) {
	from, to := 0, 0
	switch e.name {
	case "sort", "rsort", "usort", "uasort", "uksort", "asort", "arsort", "ksort", "krsort", "natsort", "natcasesort", "shuffle", "array_multisort",
		"array_push", "array_pop", "array_shift", "array_unshift", "array_splice", "array_walk", "array_walk_recursive", "settype", "each":
		from, to = 0, 1
	case "parse_str", "mb_parse_str", "similar_text", "getmxrr", "is_callable":
		from, to = 1, 3
	case "preg_match", "preg_match_all":
		from, to = 2, 3
	case "exec", "system", "passthru", "str_replace", "str_ireplace", "openssl_sign", "dns_get_record":
		from, to = 1, 4
		if e.name == "str_replace" || e.name == "str_ireplace" {
			from = 3
		}
	case "sscanf", "fscanf":
		from, to = 2, 99
	case "preg_replace", "preg_replace_callback", "fsockopen", "stream_socket_client", "openssl_encrypt":
		from, to = 2, 6
	case "extract":
		ev.taint(ev.dunno(e, Function, e.name, "extract may set any variable").why)
		return
	}
	for k := from; k < to && k < len(e.args); k++ {
		switch e.args[k].value.(type) {
		case *variable, *index, *property:
			v := ev.dunno(e, Function, e.name, "the function %s is not evaluated", e.name)
			ev.write(ev.resolve(e.args[k].value), v, e.Pos, show(e))
		}
	}
}
