package php

import (
	"strconv"
)

// Limits of arrays: what is larger becomes unknown.
const (
	maxElements = 20_000 // with those of the arrays in it
	maxArrays   = 32     // in each other
)

// key is the key of an array: a whole number or a string that isn't one.
type key struct {
	n    int64
	s    string
	name bool
}

func intKey(n int64) key { return key{n: n} }

// keyOf is the key that a string stands for: "8" is 8, "08" is not.
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

// array is an ordered map. One that a Value holds is not changed any more.
type array struct {
	items []item
	at    map[key]int
	next  int64
	size  int // elements, with those of the arrays in it
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

// without is a copy that lacks a key.
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

// list makes an array of values.
func list(values ...Value) *array {
	a := newArray()
	for _, v := range values {
		a.add(v)
	}
	return a
}
