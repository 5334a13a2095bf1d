package php

import (
	"strconv"
)

// Limits of arrays; an array that exceeds one becomes unknown.
const (
	maxElements = 20_000 // including nested arrays
	maxArrays   = 32     // nested in each other
)

// key is the key of an array: a whole number or a string that isn't one.
type key struct {
	n    int64
	s    string
	name bool
}

func intKey(n int64) key { return key{n: n} }

// keyOf returns the key for a string: the number 8 for "8", the string for "08".
func keyOf(s string) key {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && strconv.FormatInt(n, 10) == s {
		return intKey(n)
	}
	return key{s: s, name: true}
}

func (k key) text() string {
	if k.name {
		return k.s
	}
	return strconv.FormatInt(k.n, 10)
}

func (k key) value() Value {
	if k.name {
		return String(k.s)
	}
	return Int(k.n)
}

type item struct {
	key   key
	value Value
}

// array is an ordered map. It is immutable once a Value holds it.
type array struct {
	items []item
	at    map[key]int
	next  int64
	size  int // number of elements, including nested arrays
	depth int
}

func newArray() *array { return &array{at: map[key]int{}, depth: 1} }

func (a *array) get(k key) (Value, bool) {
	i, ok := a.at[k]
	if !ok {
		return null, false
	}
	return a.items[i].value, true
}

func weight(v Value) int {
	if v.kind == KindArray {
		return 1 + v.a.size
	}
	return 1
}

func (a *array) set(k key, v Value) {
	if v.kind == KindArray {
		a.depth = max(a.depth, v.a.depth+1)
	}
	if i, ok := a.at[k]; ok {
		a.size += weight(v) - weight(a.items[i].value)
		a.items[i].value = v
		return
	}
	a.size += weight(v)
	a.at[k] = len(a.items)
	a.items = append(a.items, item{k, v})
	if !k.name && k.n >= a.next && k.n < 1<<62 {
		a.next = k.n + 1
	}
}

func (a *array) add(v Value) { a.set(intKey(a.next), v) }

// without returns a copy without a key.
func (a *array) without(k key) *array {
	b := newArray()
	for _, it := range a.items {
		if it.key != k {
			b.set(it.key, it.value)
		}
	}
	b.next = a.next
	return b
}

func (a *array) clone() *array {
	b := &array{items: append([]item(nil), a.items...), at: make(map[key]int, len(a.at)), next: a.next, size: a.size, depth: a.depth}
	for k, i := range a.at {
		b.at[k] = i
	}
	return b
}

// list returns an array of values.
func list(values ...Value) *array {
	a := newArray()
	for _, v := range values {
		a.add(v)
	}
	return a
}
