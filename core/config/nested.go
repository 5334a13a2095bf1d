package config

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// objects decodes a list of objects.
func (r *run) objects(s *setting, n *yaml.Node, depth int) {
	at := r.at[s.key].Position
	if n.Kind != yaml.SequenceNode {
		r.report(Error, at, s.path, fmt.Sprintf("%s must be a list, not %s", s.path, kindName(n)), fmt.Sprintf("write %s: and below it - KEY: VALUE", s.Name))
		return
	}
	list := reflect.MakeSlice(s.value.Type(), 0, len(n.Content))
	for i, item := range n.Content {
		path, key := s.element(i)
		o := s.fresh(path, key)
		r.at[key] = spot{r.At(item), path}
		r.inner(o, item, depth)
		list = reflect.Append(list, o.value)
		if r.values >= maxValues {
			return
		}
	}
	if s.Required && list.Len() == 0 {
		r.report(Error, at, s.path, s.path+" is an empty list", "give it at least one value")
	}
	s.value.Set(list)
}

// inner decodes an object in a list or a map.
func (r *run) inner(o object, n *yaml.Node, depth int) {
	at := r.At(n)
	of := &setting{path: o.path}
	if n = Resolve(n); r.marked(of, n, at) || r.full(of, at) {
		return
	}
	r.level(&level{node: n, settings: o.settings, path: o.path, depth: depth + 1})
}

// named decodes a map of objects.
func (r *run) named(s *setting, n *yaml.Node, depth int) {
	made := reflect.MakeMap(s.value.Type())
	ok := r.entries(s, n, func(name string, value *yaml.Node, path, key string) {
		o := s.fresh(path, key)
		r.inner(o, value, depth)
		made.SetMapIndex(reflect.ValueOf(name), o.value)
	})
	if ok {
		s.value.Set(made)
	}
}

// texts decodes a map of strings or secrets.
func (r *run) texts(s *setting, n *yaml.Node) {
	made := reflect.MakeMap(s.value.Type())
	one := setting{Field: Field{Type: Text}, value: reflect.New(made.Type().Elem()).Elem()}
	if s.Type == Keyring {
		one.Type = Hidden
	}
	ok := r.entries(s, n, func(name string, value *yaml.Node, path, key string) {
		one.path, one.key = path, key
		at := r.at[key].Position
		if value = Resolve(value); !r.marked(&one, value, at) && !r.full(&one, at) && r.scalar(&one, value, at) {
			made.SetMapIndex(reflect.ValueOf(name), one.value)
		}
	})
	if ok {
		s.value.Set(made)
	}
}

// entries calls fn for each entry of a mapping with arbitrary names. ok is false if the
// node is not a mapping.
func (r *run) entries(s *setting, n *yaml.Node, fn func(name string, value *yaml.Node, path, key string)) (ok bool) {
	at := r.at[s.key].Position
	if n.Kind != yaml.MappingNode {
		r.report(Error, at, s.path, fmt.Sprintf("%s must be a mapping of names to values, not %s", s.path, kindName(n)), fmt.Sprintf("write %s: {NAME: VALUE}", s.Name))
		return false
	}
	here := &level{path: s.path}
	for i := 0; i+1 < len(n.Content) && r.values < maxValues; i += 2 {
		name, where := Resolve(n.Content[i]), r.At(n.Content[i])
		if !r.isKey(here, name, where) {
			continue
		}
		path, key := s.member(name.Value)
		_, twice := r.at[key]
		switch {
		case twice:
			r.report(Error, where, path, "duplicate name"+here.in(), fmt.Sprintf("first defined on line %d; keep one", r.at[key].Line))
		case name.Value == "" || name.ShortTag() == "!!null" || strings.ContainsFunc(name.Value, unicode.IsControl):
			r.report(Error, where, path, "a name"+here.in()+" is empty or contains control characters", "choose another name")
		default:
			r.at[key] = spot{r.At(n.Content[i+1]), path}
			fn(name.Value, n.Content[i+1], path, key)
		}
	}
	if s.Required && len(n.Content) == 0 {
		r.report(Error, at, s.path, s.path+" is empty", "give it at least one value")
	}
	return true
}
