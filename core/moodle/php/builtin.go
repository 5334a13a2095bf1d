package php

import (
	"strings"
)

// special evaluates functions that depend on more than the values of their arguments.
func (ev *evaluator) special(e *call) (Value, bool) {
	arg := func(k int) Value {
		if k >= len(e.args) || e.args[k].spread {
			return null
		}
		return ev.eval(e.args[k].value)
	}
	switch e.name {
	case "compact":
		return ev.compact(e)
	case "define":
		name, v := arg(0), arg(1)
		if text, ok := name.Text(); ok {
			ev.define(unqualified(text), v, e.Pos)
			return Bool(true), true
		}
		ev.st.sealed = ev.reasonOf(e, name)
		return Bool(true), true
	case "defined":
		name, ok := arg(0).Text()
		if !ok {
			return null, false
		}
		return ev.defined(e, unqualified(name)), true
	case "constant":
		if name, ok := arg(0).Text(); ok && !strings.Contains(name, "::") {
			return ev.constant(&constant{e.Pos, name}), true
		}
	case "getenv":
		name, ok := arg(0).Text()
		if ok && len(e.args) > 0 && name != "" {
			return ev.getenv(e, name), true
		}
	case "putenv":
		if text, ok := arg(0).Text(); ok {
			name, value, set := strings.Cut(text, "=")
			if ev.running() {
				ev.st.env[name] = Bool(false)
				if set {
					ev.st.env[name] = String(value)
				}
			}
			return Bool(true), true
		}
	case "array_key_exists", "key_exists":
		if len(e.args) == 2 {
			if v, ok := e.args[1].value.(*variable); ok && superglobal[v.name] {
				there := ev.isset(&issetOf{e.Pos, []expr{&index{e.Pos, v, e.args[0].value}}})
				return there, true
			}
		}
	case "is_null":
		v := arg(0)
		if v.kind == KindUnknown {
			return v, true
		}
		return Bool(v.kind == KindNull), true
	case "function_exists":
		name, ok := arg(0).Text()
		if name = strings.ToLower(name); ok && ev.functions[name] != nil && !ev.perhaps[name] {
			return Bool(true), true
		}
	case "end", "reset", "current":
		v := arg(0)
		if v.kind == KindArray {
			items := v.a.items
			switch {
			case len(items) == 0:
				return Bool(false), true
			case e.name == "end":
				return items[len(items)-1].value, true
			case e.name == "reset":
				return items[0].value, true
			}
		}
	}
	return null, false
}

func (ev *evaluator) compact(e *call) (Value, bool) {
	a := newArray()
	for _, one := range e.args {
		name, ok := ev.eval(one.value).Text()
		if !ok {
			return null, false
		}
		a.set(keyOf(name), ev.load(&variable{Pos: e.Pos, name: name}))
	}
	return ev.arrayValue(a, e.Pos), true
}

func (ev *evaluator) defined(e *call, name string) Value {
	if _, ok := builtinConstants[name]; ok {
		return Bool(true)
	}
	if _, ok := ev.st.consts[name]; ok {
		return Bool(true)
	}
	for _, u := range ev.opts.Undefined {
		if u == name {
			return Bool(false)
		}
	}
	if ev.st.sealed != nil {
		return unknown(ev.st.sealed)
	}
	return ev.dunno(e, Constant, name, "whether %s is defined depends on who includes the file", constantName(name))
}

// builtin evaluates a PHP function whose result depends only on its arguments. The
// result of any other function is unknown.
func (ev *evaluator) builtin(e *call, args []Value) Value {
	for _, a := range args {
		if a.kind == KindUnknown {
			return a
		}
		ev.spend(len(a.s) / 64)
		if a.kind == KindArray {
			ev.spend(a.a.size / 8)
		}
	}
	if !ev.running() {
		return null
	}
	v, ok := Value{}, false
	for _, group := range []func(*call, []Value) (Value, bool){ev.textFunction, ev.valueFunction, ev.pathFunction} {
		if v, ok = group(e, args); ok {
			return v
		}
	}
	if quiet[e.name] {
		return v
	}
	return ev.dunno(e, Function, e.name, "the function %s is not evaluated", e.name)
}

// quiet lists functions that have no useful result, do not throw and change nothing
// that matters.
var quiet = map[string]bool{
	"ini_set": true, "error_reporting": true, "set_time_limit": true, "date_default_timezone_set": true, "setlocale": true, "umask": true,
	"mb_internal_encoding": true, "header": true, "error_log": true, "ignore_user_abort": true, "gc_enable": true, "header_remove": true,
	"session_name": true, "ini_alter": true, "assert": true, "var_dump": true, "print_r": true, "printf": true, "http_response_code": true,
	"spl_autoload_register": true, "set_error_handler": true, "set_exception_handler": true, "register_shutdown_function": true, "clearstatcache": true,
}
