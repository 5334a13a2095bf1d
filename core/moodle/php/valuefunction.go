package php

import (
	"net/url"
	"strconv"
	"strings"
)

// valueFunction evaluates functions for values of any kind.
func (ev *evaluator) valueFunction(e *call, args []Value) (Value, bool) {
	if len(args) == 0 {
		return null, false
	}
	v := args[0]
	switch e.name {
	case "intval":
		if len(args) == 1 {
			n, ok := number(v, true)
			return toInt(n), ok
		}
	case "floatval", "doubleval":
		n, ok := number(v, true)
		return Float(asFloat(n)), ok
	case "boolval":
		truth, ok := v.Truth()
		return Bool(truth), ok
	case "is_string":
		return Bool(v.kind == KindString), true
	case "is_array":
		return Bool(v.kind == KindArray), true
	case "is_bool":
		return Bool(v.kind == KindBool), true
	case "is_int", "is_integer":
		return Bool(v.kind == KindInt), true
	case "is_object":
		return Bool(v.kind == KindObject || v.kind == KindFunction), true
	case "is_numeric":
		_, ok := number(v, false)
		return Bool(ok && (v.kind == KindInt || v.kind == KindFloat || v.kind == KindString)), true
	case "filter_var":
		return filter(args)
	case "parse_url":
		return ev.parseURL(e, args)
	case "count", "sizeof":
		if v.kind == KindArray && len(args) == 1 {
			return Int(int64(len(v.a.items))), true
		}
	case "in_array":
		return ev.inArrayFunction(e, args)
	case "array_key_exists", "key_exists":
		if len(args) == 2 && args[1].kind == KindArray {
			if text, ok := v.Text(); ok {
				item, there := args[1].a.get(keyOf(text))
				if there && item.kind == KindUnknown {
					return item, true
				}
				return Bool(there), true
			}
		}
	case "array_merge", "array_replace":
		return ev.arrayMerge(e, args)
	case "array_keys", "array_values":
		if v.kind == KindArray && len(args) == 1 {
			a := newArray()
			for _, it := range v.a.items {
				if e.name == "array_keys" {
					a.add(it.key.value())
				} else {
					a.add(it.value)
				}
			}
			ev.spend(len(v.a.items))
			return ev.arrayValue(a, e.Pos), true
		}
	case "max", "min":
		return extreme(e.name, args)
	case "urlencode", "rawurlencode", "urldecode", "rawurldecode":
		return escaped(e.name, v)
	}
	return null, false
}

// filter evaluates filter_var for booleans and integers.
func filter(args []Value) (Value, bool) {
	text, ok := args[0].Text()
	if !ok || len(args) < 2 || args[1].kind != KindInt {
		return null, false
	}
	text = strings.TrimSpace(text)
	switch {
	case args[1].n == 258:
		if len(args) > 2 && args[2] != Int(134217728) {
			return null, false
		}
		switch strings.ToLower(text) {
		case "1", "true", "on", "yes":
			return Bool(true), true
		case "0", "false", "off", "no", "":
			return Bool(false), true
		}
		if len(args) > 2 {
			return null, true
		}
		return Bool(false), true
	case args[1].n == 257 && len(args) == 2:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == strings.TrimPrefix(text, "+") {
			return Int(n), true
		}
		return Bool(false), true
	}
	return null, false
}

func (ev *evaluator) inArrayFunction(e *call, args []Value) (Value, bool) {
	if len(args) < 2 || args[1].kind != KindArray {
		return null, false
	}
	op := "=="
	if len(args) > 2 {
		if strict, _ := args[2].Truth(); strict {
			op = "==="
		}
	}
	result := Bool(false)
	for _, it := range args[1].a.items {
		ev.spend(1)
		is := ev.compare(e, op, args[0], it.value)
		if truth, known := is.Truth(); !known {
			result = is
		} else if truth {
			return Bool(true), true
		}
	}
	return result, true
}

func (ev *evaluator) arrayMerge(e *call, args []Value) (Value, bool) {
	a := newArray()
	for _, arg := range args {
		if arg.kind != KindArray {
			return null, false
		}
		ev.spend(len(arg.a.items))
		for _, it := range arg.a.items {
			if it.key.name || e.name == "array_replace" {
				a.set(it.key, it.value)
			} else {
				a.add(it.value)
			}
		}
	}
	return ev.arrayValue(a, e.Pos), true
}

func extreme(name string, args []Value) (Value, bool) {
	best := args[0]
	for _, a := range args {
		if a.kind != KindInt || len(args) < 2 {
			return null, false
		}
		if name == "max" && a.n > best.n || name == "min" && a.n < best.n {
			best = a
		}
	}
	return best, true
}

func escaped(name string, v Value) (Value, bool) {
	text, ok := v.Text()
	if !ok || len(text) > maxText/4 {
		return null, false
	}
	switch name {
	case "urlencode":
		return String(url.QueryEscape(text)), true
	case "rawurlencode":
		return String(strings.ReplaceAll(url.QueryEscape(text), "+", "%20")), true
	case "urldecode":
		text, err := url.QueryUnescape(text)
		return String(text), err == nil
	}
	text, err := url.PathUnescape(text)
	return String(text), err == nil
}

// parseURL evaluates parse_url, for example of a database in DATABASE_URL.
func (ev *evaluator) parseURL(e *call, args []Value) (Value, bool) {
	text, ok := args[0].Text()
	if !ok {
		return null, false
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return null, false
	}
	a := newArray()
	add := func(name, value string) {
		if value != "" {
			a.set(keyOf(name), String(value))
		}
	}
	add("scheme", u.Scheme)
	host := u.Host
	if port := u.Port(); port != "" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	add("host", host)
	if n, err := strconv.ParseInt(u.Port(), 10, 64); err == nil {
		a.set(keyOf("port"), Int(n))
	}
	// PHP does not decode percent-encoded characters.
	if raw, _, there := strings.Cut(text[len(u.Scheme)+3:], "@"); there && u.User != nil {
		name, pass, _ := strings.Cut(raw, ":")
		add("user", name)
		add("pass", pass)
	}
	add("path", u.EscapedPath())
	add("query", u.RawQuery)
	add("fragment", u.EscapedFragment())
	whole := ev.arrayValue(a, e.Pos)
	if len(args) == 1 || args[1] == Int(-1) {
		return whole, true
	}
	names := []string{"scheme", "host", "port", "user", "pass", "path", "query", "fragment"}
	if args[1].kind == KindInt && args[1].n >= 0 && args[1].n < int64(len(names)) {
		item, _ := whole.Item(names[args[1].n])
		return item, true
	}
	return null, false
}
