package component

import (
	"math"
	"strconv"
	"strings"
)

// undecided is the value of what can't be known without executing code.
type undecided struct{ line int }

// element is an element of an array, in order. Its key is an int64 or a string.
type element struct {
	key   any
	value any
}

// array is a PHP array; its values are nil, bool, int64, float64, string, array or undecided.
type array []element

// get returns the value of a key, nil for none.
func (a array) get(key string) any {
	for _, e := range a {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// set gives a key a value. A new key goes to the end.
func (a array) set(key, value any) array {
	key = normalKey(key)
	for i := range a {
		if a[i].key == key {
			a[i].value = value
			return a
		}
	}
	return append(a, element{key, value})
}

// normalKey returns a key as PHP keeps it: a string that is a whole number is an integer.
func normalKey(key any) any {
	if s, ok := key.(string); ok {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && strconv.FormatInt(n, 10) == s {
			return n
		}
	}
	return key
}

// next is the key that an element without one gets.
func (a array) next() int64 {
	next := int64(0)
	for _, e := range a {
		if n, ok := e.key.(int64); ok && n >= next {
			next = n + 1
		}
	}
	return next
}

// number reads a number as PHP does; an integer that is too large is a float.
func number(text string) (any, bool) {
	text = strings.ReplaceAll(text, "_", "")
	if text == "" {
		return nil, false
	}
	switch {
	case strings.Trim(text, "0123456789") != "":
		if f, ok := parseNumber(text); ok {
			return f, true
		}
		if lower := strings.ToLower(text); strings.HasPrefix(lower, "0x") || strings.HasPrefix(lower, "0b") || strings.HasPrefix(lower, "0o") {
			n, err := strconv.ParseInt(lower, 0, 64)
			return n, err == nil
		}
		if strings.ContainsAny(text, "eE") {
			f, err := strconv.ParseFloat(text, 64)
			return f, err == nil && !math.IsInf(f, 0)
		}
		return nil, false
	case len(text) > 1 && text[0] == '0':
		n, err := strconv.ParseInt(text, 8, 64)
		return n, err == nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

// constants are those that version.php files use.
var constants = map[string]any{
	"MATURITY_ALPHA": int64(50), "MATURITY_BETA": int64(100), "MATURITY_RC": int64(150), "MATURITY_STABLE": int64(200),
	"ANY_VERSION": "any",
}

// constant returns the value of a constant by its name.
func constant(name string) (any, bool) {
	name = strings.TrimPrefix(name, `\`)
	switch strings.ToLower(name) {
	case "true":
		return true, true
	case "false":
		return false, true
	case "null":
		return nil, true
	}
	v, ok := constants[name]
	return v, ok
}

// text returns how PHP writes a value that is not an array.
func text(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case int64:
		return strconv.FormatInt(x, 10), true
	case float64:
		return Version{x}.String(), true
	}
	return "", false
}
