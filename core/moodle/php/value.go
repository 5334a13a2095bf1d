package php

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Kind is the type of a value.
type Kind int

// The kinds of values. KindObject is any object except a function; Result.Properties
// returns its properties.
const (
	KindNull Kind = iota
	KindBool
	KindInt
	KindFloat
	KindString
	KindArray
	KindObject
	KindFunction
	KindUnknown
)

var kindNames = [...]string{"null", "a boolean", "a whole number", "a number", "a string", "an array", "an object", "a function", "unknown"}

// String returns the kind with an article, as in "a string".
func (k Kind) String() string { return kindNames[k] }

// Value is a PHP value, or unknown. It is immutable. Formatting a Value prints its
// kind, never its content.
type Value struct {
	kind Kind
	n    int64 // of booleans, whole numbers; the number of an object
	f    float64
	s    string
	a    *array
	fn   *closureValue
	why  *Reason
}

type closureValue struct {
	fn    *function
	bound map[string]Value
}

// Null returns PHP's null.
var null = Value{}

// Bool returns a boolean.
func Bool(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.n = 1
	}
	return v
}

// Int returns an integer.
func Int(n int64) Value { return Value{kind: KindInt, n: n} }

// Float returns a floating-point number.
func Float(f float64) Value { return Value{kind: KindFloat, f: f} }

// String returns a string.
func String(s string) Value { return Value{kind: KindString, s: s} }

func unknown(why *Reason) Value { return Value{kind: KindUnknown, why: why} }

// Kind returns the kind of the value.
func (v Value) Kind() Kind { return v.kind }

// Unknown returns the reason why the value is unknown, or nil. A known array may have
// unknown elements.
func (v Value) Unknown() *Reason { return v.why }

// Text returns the value as PHP converts it to a string; ok is false for unknown
// values, arrays, objects and functions.
func (v Value) Text() (text string, ok bool) {
	switch v.kind {
	case KindNull:
		return "", true
	case KindBool:
		if v.n == 0 {
			return "", true
		}
		return "1", true
	case KindInt:
		return strconv.FormatInt(v.n, 10), true
	case KindFloat:
		return floatText(v.f), true
	case KindString:
		return v.s, true
	}
	return "", false
}

// floatText formats a number as PHP 8 does: the shortest text that parses to it.
func floatText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NAN"
	case math.IsInf(f, 1):
		return "INF"
	case math.IsInf(f, -1):
		return "-INF"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e15) {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, 64), "E")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		sign := exponent[:1]
		return mantissa + "E" + sign + strings.TrimLeft(exponent[1:], "0")
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// Truth returns the value as a condition; ok is false if it is unknown.
func (v Value) Truth() (truth, ok bool) {
	switch v.kind {
	case KindNull:
		return false, true
	case KindBool, KindInt:
		return v.n != 0, true
	case KindFloat:
		return v.f != 0, true
	case KindString:
		return v.s != "" && v.s != "0", true
	case KindArray:
		return len(v.a.items) > 0, true
	case KindObject, KindFunction:
		return true, true
	}
	return false, false
}

// Int returns the value of an integer, or of a string that contains one.
func (v Value) Int() (n int64, ok bool) {
	switch v.kind {
	case KindInt:
		return v.n, true
	case KindString:
		n, err := strconv.ParseInt(strings.TrimSpace(v.s), 10, 64)
		return n, err == nil
	}
	return 0, false
}

// Items calls yield for every element of an array in order, with its key as PHP
// prints it, until yield returns false.
func (v Value) Items(yield func(key string, value Value) bool) {
	if v.kind != KindArray {
		return
	}
	for _, it := range v.a.items {
		if !yield(it.key.text(), it.value) {
			return
		}
	}
}

// Item returns the element of an array with a key; ok is false if there is none.
func (v Value) Item(key string) (item Value, ok bool) {
	if v.kind != KindArray {
		return null, false
	}
	return v.a.get(keyOf(key))
}

// Len returns the number of elements of an array.
func (v Value) Len() int {
	if v.kind != KindArray {
		return 0
	}
	return len(v.a.items)
}

// String returns the kind of the value, because its content may be a secret.
func (v Value) String() string { return v.kind.String() }

// Format prints String for any verb.
func (v Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, v.String()) }
