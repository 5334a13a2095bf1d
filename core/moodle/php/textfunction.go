package php

import (
	"strings"
)

// texts returns the arguments as strings; ok is false if one can't be converted, or if
// there are fewer than least.
func texts(args []Value, least int) (list []string, ok bool) {
	if len(args) < least {
		return nil, false
	}
	for _, a := range args {
		text, ok := a.Text()
		if !ok {
			return nil, false
		}
		list = append(list, text)
	}
	return list, true
}

const blanks = " \t\n\r\x00\x0b"

// textFunction evaluates functions for strings.
func (ev *evaluator) textFunction(e *call, args []Value) (Value, bool) {
	switch e.name {
	case "implode", "join":
		return ev.implode(e, args)
	case "str_replace":
		return ev.replace(e, args)
	case "sprintf":
		return ev.sprintf(e, args)
	}
	t, ok := texts(args, 1)
	if !ok {
		return null, false
	}
	ev.spend(len(t[0]) / 64)
	if len(t) == 1 {
		return oneText(e.name, t[0])
	}
	switch e.name {
	case "trim", "ltrim", "rtrim", "chop":
		if strings.Contains(t[1], "..") {
			return null, false
		}
		return trim(e.name, t[0], t[1]), true
	case "str_starts_with":
		return Bool(strings.HasPrefix(t[0], t[1])), true
	case "str_ends_with":
		return Bool(strings.HasSuffix(t[0], t[1])), true
	case "str_contains":
		return Bool(strings.Contains(t[0], t[1])), true
	case "strpos", "stripos", "strrpos", "strstr":
		return position(e.name, t)
	case "strcmp":
		return Int(int64(strings.Compare(t[0], t[1]))), true
	case "strcasecmp":
		return Int(int64(strings.Compare(strings.ToLower(t[0]), strings.ToLower(t[1])))), true
	case "explode":
		return ev.explode(e, t, args)
	case "substr":
		return substr(t[0], args)
	case "str_repeat":
		if n, ok := args[1].Int(); ok && n >= 0 && n <= maxText && int64(len(t[0]))*n <= maxText {
			return ev.text(e, strings.Repeat(t[0], int(n))), true
		}
	}
	return null, false
}

func oneText(name, s string) (Value, bool) {
	switch name {
	case "trim", "ltrim", "rtrim", "chop":
		return trim(name, s, blanks), true
	case "strtolower", "mb_strtolower":
		if name == "strtolower" {
			return String(asciiCase(s, 'A', 'Z', 32)), true
		}
		return String(strings.ToLower(s)), true
	case "strtoupper":
		return String(asciiCase(s, 'a', 'z', 256-32)), true
	case "ucfirst":
		if s != "" {
			s = asciiCase(s[:1], 'a', 'z', 256-32) + s[1:]
		}
		return String(s), true
	case "lcfirst":
		if s != "" {
			s = asciiCase(s[:1], 'A', 'Z', 32) + s[1:]
		}
		return String(s), true
	case "strlen":
		return Int(int64(len(s))), true
	case "strval":
		return String(s), true
	}
	return null, false
}

// asciiCase shifts every byte in a range by a constant.
func asciiCase(s string, from, to byte, add int) string {
	b := []byte(s)
	for k, c := range b {
		if c >= from && c <= to {
			b[k] = byte(int(c) + add)
		}
	}
	return string(b)
}

func trim(name, s, set string) Value {
	in := func(c byte) bool { return strings.IndexByte(set, c) >= 0 }
	if name != "ltrim" {
		for s != "" && in(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
	}
	if name == "trim" || name == "ltrim" {
		for s != "" && in(s[0]) {
			s = s[1:]
		}
	}
	return String(s)
}

func position(name string, t []string) (Value, bool) {
	if len(t) != 2 {
		return null, false
	}
	k := -1
	switch name {
	case "strpos", "strstr":
		k = strings.Index(t[0], t[1])
	case "stripos":
		k = strings.Index(asciiCase(t[0], 'A', 'Z', 32), asciiCase(t[1], 'A', 'Z', 32))
	case "strrpos":
		k = strings.LastIndex(t[0], t[1])
	}
	switch {
	case k < 0:
		return Bool(false), true
	case name == "strstr":
		return String(t[0][k:]), true
	}
	return Int(int64(k)), true
}

func (ev *evaluator) explode(e *call, t []string, args []Value) (Value, bool) {
	if t[0] == "" || len(t) < 2 {
		return null, false
	}
	n := -1
	if len(args) > 2 {
		limit, ok := args[2].Int()
		if !ok || limit < 1 || limit > maxElements {
			return null, false
		}
		n = int(limit)
	}
	parts := strings.SplitN(t[1], t[0], n)
	if len(parts) > maxElements {
		return null, false
	}
	a := newArray()
	for _, p := range parts {
		a.add(String(p))
	}
	ev.spend(len(parts))
	return ev.arrayValue(a, e.Pos), true
}

func substr(s string, args []Value) (Value, bool) {
	start, ok := args[1].Int()
	if !ok {
		return null, false
	}
	size := int64(len(s))
	if start < 0 {
		start = max(0, size+max(start, -size))
	}
	start = min(start, size)
	end := size
	if len(args) > 2 && args[2].kind != KindNull {
		n, ok := args[2].Int()
		if !ok {
			return null, false
		}
		if n < 0 {
			end = max(start, size+max(n, -size))
		} else {
			end = min(size, start+min(n, size))
		}
	}
	return String(s[start:end]), true
}

func (ev *evaluator) implode(e *call, args []Value) (Value, bool) {
	glue, of := "", null
	switch {
	case len(args) == 1:
		of = args[0]
	case len(args) == 2:
		glue, _ = args[0].Text()
		of = args[1]
	}
	if of.kind != KindArray {
		return null, false
	}
	var b strings.Builder
	for k, it := range of.a.items {
		text, ok := it.value.Text()
		if !ok {
			return unknown(ev.reasonOf(e, it.value)), true
		}
		if k > 0 {
			b.WriteString(glue)
		}
		if b.WriteString(text); b.Len() > maxText {
			return null, false
		}
	}
	return ev.text(e, b.String()), true
}

func (ev *evaluator) replace(e *call, args []Value) (Value, bool) {
	if len(args) != 3 {
		return null, false
	}
	subject, ok := args[2].Text()
	if !ok {
		return null, false
	}
	each := func(v Value) []Value {
		if v.kind != KindArray {
			return []Value{v}
		}
		var list []Value
		for _, it := range v.a.items {
			list = append(list, it.value)
		}
		return list
	}
	search, with := each(args[0]), each(args[1])
	for k, s := range search {
		from, ok := s.Text()
		to := ""
		if args[1].kind != KindArray {
			to, _ = args[1].Text()
		} else if k < len(with) {
			var okTo bool
			to, okTo = with[k].Text()
			ok = ok && okTo
		}
		if !ok || int64(len(subject))*int64(len(to)+1) > maxText {
			return null, false
		}
		ev.spend(len(subject)/64 + 1)
		if from != "" {
			subject = strings.ReplaceAll(subject, from, to)
		}
	}
	return ev.text(e, subject), true
}

// sprintf supports %s, %d and %%.
func (ev *evaluator) sprintf(e *call, args []Value) (Value, bool) {
	if len(args) == 0 {
		return null, false
	}
	format, ok := args[0].Text()
	if !ok {
		return null, false
	}
	var b strings.Builder
	next := 1
	for k := 0; k < len(format); k++ {
		if format[k] != '%' {
			b.WriteByte(format[k])
			continue
		}
		k++
		if k >= len(format) {
			return null, false
		}
		if format[k] == '%' {
			b.WriteByte('%')
			continue
		}
		if next >= len(args) {
			return null, false
		}
		v := args[next]
		next++
		switch format[k] {
		case 's':
		case 'd':
			n, ok := number(v, true)
			if !ok {
				return null, false
			}
			v = toInt(n)
		default:
			return null, false
		}
		text, ok := v.Text()
		if !ok || b.Len()+len(text) > maxText {
			return null, false
		}
		b.WriteString(text)
	}
	return ev.text(e, b.String()), true
}
