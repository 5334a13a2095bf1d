package php

import (
	"math"
	"strconv"
	"strings"
)

// number converts a value to a number. With anything, it accepts strings that only
// begin with a number, or do not contain one.
func number(v Value, anything bool) (Value, bool) {
	switch v.kind {
	case KindNull:
		return Int(0), true
	case KindBool:
		return Int(v.n), true
	case KindInt, KindFloat:
		return v, true
	case KindArray:
		return Int(int64(min(len(v.a.items), 1))), anything
	case KindString:
		n, whole := numericPrefix(v.s)
		return n, whole || anything
	}
	return null, false
}

// numericPrefix returns the number at the beginning of a text; whole reports whether
// the text is a number and nothing else.
func numericPrefix(s string) (n Value, whole bool) {
	if len(s) > 1000 {
		return Int(0), false
	}
	t := strings.TrimLeft(s, " \t\n\r\v\f")
	end := 0
	if end < len(t) && (t[end] == '+' || t[end] == '-') {
		end++
	}
	body := t[end:]
	if body == "" || !(digit(body[0]) || body[0] == '.' && len(body) > 1 && digit(body[1])) {
		return Int(0), false
	}
	end += decimalLength(body)
	whole = strings.TrimRight(t[end:], " \t\n\r\v\f") == ""
	if i, err := strconv.ParseInt(t[:end], 10, 64); err == nil {
		return Int(i), whole
	}
	f, err := strconv.ParseFloat(t[:end], 64)
	if err != nil && !math.IsInf(f, 0) {
		return Int(0), false
	}
	return Float(f), whole
}

// decimalLength returns the length of the decimal number at the beginning of text.
func decimalLength(text string) int {
	n := 0
	for n < len(text) && digit(text[n]) {
		n++
	}
	if n < len(text) && text[n] == '.' {
		for n++; n < len(text) && digit(text[n]); n++ {
		}
	}
	if n < len(text) && (text[n] == 'e' || text[n] == 'E') {
		k := n + 1
		if k < len(text) && (text[k] == '+' || text[k] == '-') {
			k++
		}
		if k < len(text) && digit(text[k]) {
			for n = k; n < len(text) && digit(text[n]); n++ {
			}
		}
	}
	return n
}

func asFloat(v Value) float64 {
	if v.kind == KindFloat {
		return v.f
	}
	return float64(v.n)
}

func toInt(v Value) Value {
	if v.kind == KindFloat {
		if math.IsNaN(v.f) || v.f < -9e18 || v.f > 9e18 {
			return Int(0)
		}
		return Int(int64(v.f))
	}
	return Int(v.n)
}

func arithmetic(op string, a, b Value) (Value, bool) {
	x, okX := number(a, false)
	y, okY := number(b, false)
	if !okX || !okY {
		return null, false
	}
	switch op {
	case "%", "&", "|", "^", "<<", ">>":
		return bits(op, toInt(x).n, toInt(y).n)
	}
	f, g := asFloat(x), asFloat(y)
	whole := x.kind == KindInt && y.kind == KindInt
	small := func(r float64) bool { return whole && math.Abs(r) < 1<<53 }
	switch op {
	case "+":
		if small(f + g) {
			return Int(x.n + y.n), true
		}
		return Float(f + g), true
	case "-":
		if small(f - g) {
			return Int(x.n - y.n), true
		}
		return Float(f - g), true
	case "*":
		if small(f * g) {
			return Int(x.n * y.n), true
		}
		return Float(f * g), true
	case "/":
		if g == 0 {
			return null, false
		}
		if small(f) && x.n%y.n == 0 {
			return Int(x.n / y.n), true
		}
		return Float(f / g), true
	case "**":
		if r := math.Pow(f, g); small(r) && y.n >= 0 {
			return Int(int64(r)), true
		}
		return Float(math.Pow(f, g)), true
	}
	return null, false
}

func bits(op string, x, y int64) (Value, bool) {
	switch op {
	case "&":
		return Int(x & y), true
	case "|":
		return Int(x | y), true
	case "^":
		return Int(x ^ y), true
	case "%":
		if y != 0 && y != -1 {
			return Int(x % y), true
		}
	case "<<":
		if y >= 0 && y < 64 {
			return Int(x << uint(y)), true
		}
	case ">>":
		if y >= 0 && y < 64 {
			return Int(x >> uint(y)), true
		}
	}
	return null, false
}
