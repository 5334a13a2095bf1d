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

// The kinds of values. Object stands for every object but functions; what is in
// one is read with Result.Properties.
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

// String names the kind as in a sentence: "a string".
func (k Kind) String() string { return kindNames[k] }

// Value is a PHP value, or unknown. It is immutable. Formatting one gives its
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

// Null is PHP's null.
var null = Value{}

// Bool makes a boolean.
func Bool(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.n = 1
	}
	return v
}

// Int makes a whole number.
func Int(n int64) Value { return Value{kind: KindInt, n: n} }

// Float makes a number with a fraction.
func Float(f float64) Value { return Value{kind: KindFloat, f: f} }

// String makes a string.
func String(s string) Value { return Value{kind: KindString, s: s} }

func unknown(why *Reason) Value { return Value{kind: KindUnknown, why: why} }

// Kind is the type of the value.
func (v Value) Kind() Kind { return v.kind }

// Unknown is why the value is not known; nil if it is, at least itself: an array
// may have unknown elements.
func (v Value) Unknown() *Reason { return v.why }

// Text is the value as PHP converts it to a string; ok is false for unknown
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

// floatText writes a number as PHP 8 does: the shortest that reads back.
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

// Truth is the value as a condition; ok is false where it is not known.
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

// Int is the value of a whole number, or of a string that is one.
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

// Items calls yield for every element of an array in its order, with its key as
// PHP writes it, until it returns false.
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

// Item is the element of an array with a key; ok is false if there is none.
func (v Value) Item(key string) (item Value, ok bool) {
	if v.kind != KindArray {
		return null, false
	}
	return v.a.get(keyOf(key))
}

// Len is the number of elements of an array.
func (v Value) Len() int {
	if v.kind != KindArray {
		return 0
	}
	return len(v.a.items)
}

// String is the kind of the value: its content may be a secret.
func (v Value) String() string { return v.kind.String() }

// Format writes String whatever the verb.
func (v Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, v.String()) }
