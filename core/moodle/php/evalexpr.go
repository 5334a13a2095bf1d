package php

import (
	"path/filepath"
	"strings"
)

// eval returns the value of an expression.
func (ev *evaluator) eval(e expr) Value {
	if e == nil || !ev.running() {
		return null
	}
	ev.at = e.pos()
	if ev.spend(1); !ev.running() {
		return null
	}
	switch e := e.(type) {
	case *literal:
		return e.value
	case *template:
		return ev.concat(e, e.parts)
	case *constant:
		return ev.constant(e)
	case *variable, *index, *property:
		return ev.load(e)
	case *arrayLiteral:
		return ev.array(e)
	case *unary:
		return ev.unary(e)
	case *binary:
		return ev.binary(e)
	case *ternary:
		return ev.ternary(e)
	case *assign:
		return ev.assign(e)
	case *step:
		return ev.step(e)
	case *issetOf:
		return ev.isset(e)
	case *call:
		return ev.call(e)
	case *opaque:
		return ev.opaque(e)
	case *include:
		return ev.include(e)
	case *exit:
		ev.eval(e.with)
		if ev.running() {
			ev.death = &Reason{Cause: Code, Pos: e.Pos, Problem: "the file ends here with exit, die or throw"}
			ev.doubts++
			ev.ctl = ctlDie
		}
		return null
	case *match:
		return ev.match(e, ev.eval(e.subject), 0)
	case *closure:
		return ev.closure(e)
	}
	return ev.dunno(e, Code, "", "it is not evaluated")
}

func (ev *evaluator) concat(e expr, parts []expr) Value {
	var b strings.Builder
	var why *Reason
	for _, p := range parts {
		v := ev.eval(p)
		text, ok := v.Text()
		if !ok && why == nil {
			why = ev.reasonOf(p, v)
		}
		if b.Len()+len(text) > maxText {
			return ev.text(e, strings.Repeat(" ", maxText+1))
		}
		b.WriteString(text)
	}
	if why != nil {
		return unknown(why)
	}
	return ev.text(e, b.String())
}

// reasonOf says why an expression's value cannot be used as a string.
func (ev *evaluator) reasonOf(e expr, v Value) *Reason {
	if v.why != nil {
		return v.why
	}
	return ev.dunno(e, Code, "", "%s is used as a text", v.kind).why
}

func (ev *evaluator) constant(e *constant) Value {
	switch strings.ToLower(unqualified(e.name)) {
	case "true":
		return Bool(true)
	case "false":
		return Bool(false)
	case "null":
		return null
	case "__file__":
		return String(e.File)
	case "__dir__":
		return String(filepath.Dir(e.File))
	case "__line__":
		return Int(int64(e.Line))
	case "__namespace__", "__function__", "__class__", "__method__":
		return ev.dunno(e, Code, "", "it is not evaluated")
	}
	name := unqualified(e.name)
	if v, ok := builtinConstants[name]; ok {
		return v
	}
	if sl, ok := ev.st.consts[name]; ok {
		return sl.value
	}
	if ev.st.sealed != nil {
		return unknown(ev.st.sealed)
	}
	return ev.dunno(e, Constant, name, "%s is not defined in the files that were read", constantName(name))
}

var builtinConstants = map[string]Value{
	"PHP_EOL": String("\n"), "DIRECTORY_SEPARATOR": String("/"), "PATH_SEPARATOR": String(":"),
	"PHP_INT_MAX": Int(1<<63 - 1), "PHP_INT_SIZE": Int(8),
	"E_ERROR": Int(1), "E_WARNING": Int(2), "E_PARSE": Int(4), "E_NOTICE": Int(8), "E_CORE_ERROR": Int(16), "E_CORE_WARNING": Int(32),
	"E_COMPILE_ERROR": Int(64), "E_COMPILE_WARNING": Int(128), "E_USER_ERROR": Int(256), "E_USER_WARNING": Int(512), "E_USER_NOTICE": Int(1024),
	"E_STRICT": Int(2048), "E_RECOVERABLE_ERROR": Int(4096), "E_DEPRECATED": Int(8192), "E_USER_DEPRECATED": Int(16384), "E_ALL": Int(32767),
	"FILTER_VALIDATE_INT": Int(257), "FILTER_VALIDATE_BOOLEAN": Int(258), "FILTER_VALIDATE_BOOL": Int(258),
	"FILTER_NULL_ON_FAILURE": Int(134217728), "FILTER_DEFAULT": Int(516), "INPUT_SERVER": Int(5), "INPUT_ENV": Int(4),
	"PHP_URL_SCHEME": Int(0), "PHP_URL_HOST": Int(1), "PHP_URL_PORT": Int(2), "PHP_URL_USER": Int(3), "PHP_URL_PASS": Int(4), "PHP_URL_PATH": Int(5),
	"PHP_URL_QUERY": Int(6), "PHP_URL_FRAGMENT": Int(7), "COUNT_RECURSIVE": Int(1), "ENT_QUOTES": Int(3), "LC_ALL": Int(6),
	"PATHINFO_DIRNAME": Int(1), "PATHINFO_BASENAME": Int(2), "PATHINFO_EXTENSION": Int(4), "PATHINFO_FILENAME": Int(8),
	"JSON_THROW_ON_ERROR": Int(4194304), "FILE_IGNORE_NEW_LINES": Int(2), "FILE_SKIP_EMPTY_LINES": Int(4),
}

func (ev *evaluator) define(name string, v Value, at Pos) {
	if _, ok := ev.st.consts[name]; !ok && ev.running() {
		ev.st.consts[name] = slot{value: v, pos: at}
	}
}

func (ev *evaluator) array(e *arrayLiteral) Value {
	a := newArray()
	var lost *Reason // a key is unknown, so the array is too
	for _, it := range e.items {
		if it.value == nil {
			continue
		}
		if it.spread {
			v := ev.eval(it.value)
			if v.kind != KindArray {
				lost = ev.reasonOf(it.value, v)
				continue
			}
			for _, one := range v.a.items {
				if one.key.name {
					a.set(one.key, one.value)
				} else {
					a.add(one.value)
				}
			}
			continue
		}
		if it.key == nil {
			v := ev.eval(it.value)
			if it.ref {
				v = ev.loosen(it.value)
			}
			a.add(v)
			continue
		}
		k, why := ev.key(it.key, ev.eval(it.key))
		v := ev.eval(it.value)
		if it.ref {
			v = ev.loosen(it.value)
		}
		if why != nil {
			lost = why
			continue
		}
		a.set(k, v)
	}
	if lost != nil {
		return unknown(lost)
	}
	return ev.arrayValue(a, e.Pos)
}

// key converts a value to the key of an array.
func (ev *evaluator) key(e expr, v Value) (key, *Reason) {
	switch v.kind {
	case KindString:
		ev.spend(len(v.s) / 256)
		return keyOf(v.s), nil
	case KindInt, KindBool:
		return intKey(v.n), nil
	case KindNull:
		return key{name: true}, nil
	case KindFloat:
		if v.f > -1e15 && v.f < 1e15 {
			return intKey(int64(v.f)), nil
		}
	}
	if v.why != nil {
		return key{}, v.why
	}
	return key{}, ev.dunno(e, Code, "", "%s is used as the key of an array", v.kind).why
}

// isset reports whether all operands exist and are not null.
func (ev *evaluator) isset(e *issetOf) Value {
	result := Bool(true)
	for _, one := range e.of {
		v := ev.eval(one)
		switch v.kind {
		case KindNull:
			return Bool(false)
		case KindUnknown:
			result = v
		}
	}
	return result
}
