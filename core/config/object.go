package config

import (
	"fmt"
	"reflect"
	"slices"
)

// object is one of those that a setting holds.
type object struct {
	value     reflect.Value // a struct that can be set, or a *Declared
	settings  []setting
	path, key string
	name      string // its key in a map
}

// nests tells whether the setting holds objects.
func (s *setting) nests() bool { return s.Type == Group || s.Type == Groups || s.Type == Named }

// element is what messages and At call an item of a list.
func (s *setting) element(i int) (path, key string) {
	return fmt.Sprintf("%s[%d]", s.path, i), fmt.Sprintf("%s[%d]", s.key, i)
}

// member is what messages and At call a value of a map. Keys of maps are shown only
// where they can hardly be a secret.
func (s *setting) member(key string) (path, full string) {
	shown := "…"
	if Shown("", key) != "" {
		shown = key
	}
	return s.path + "[" + shown + "]", s.key + "[" + key + "]"
}

// fresh makes an object of those that the setting holds.
func (s *setting) fresh(path, key string) object {
	v := s.shape.make()
	return object{value: v, settings: s.shape.settings(v, path, key), path: path, key: key}
}

// single is the object of a setting of type Group, made if it is not there.
func (s *setting) single() object {
	v := s.value
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			made := s.shape.make()
			if made.Kind() != reflect.Pointer {
				made = made.Addr()
			}
			v.Set(made)
		}
		if s.shape.of != nil {
			v = v.Elem()
		}
	}
	return object{value: v, settings: s.shape.settings(v, s.path, s.key), path: s.path, key: s.key}
}

// objects lists those that are there, of maps in the order of their keys. Those of
// maps are copies.
func (s *setting) objects() []object {
	var all []object
	add := func(v reflect.Value, path, key, name string) {
		all = append(all, object{v, s.shape.settings(v, path, key), path, key, name})
	}
	switch {
	case !s.nests() || s.value.Kind() == reflect.Pointer && s.value.IsNil():
	case s.Type == Group:
		all = append(all, s.single())
	case s.Type == Groups:
		for i := range s.value.Len() {
			path, key := s.element(i)
			add(s.value.Index(i), path, key, "")
		}
	default:
		for _, name := range s.names() {
			path, key := s.member(name)
			add(s.copied(name), path, key, name)
		}
	}
	return all
}

// names are the keys of a map, sorted.
func (s *setting) names() []string {
	var names []string
	for _, k := range s.value.MapKeys() {
		names = append(names, k.String())
	}
	slices.Sort(names)
	return names
}

// copied is an object of a map as a value that can be set.
func (s *setting) copied(name string) reflect.Value {
	v := s.value.MapIndex(reflect.ValueOf(name))
	if s.shape.of == nil {
		return v
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

// each calls fn for every object that the setting holds, and keeps what fn changes.
func (s *setting) each(fn func(object) error) error {
	for _, o := range s.objects() {
		if err := fn(o); err != nil {
			return err
		}
		if s.Type == Named {
			s.value.SetMapIndex(reflect.ValueOf(o.name), o.value)
		}
	}
	return nil
}

// inside calls fn for every object inside of settings, the innermost first.
func inside(settings []setting, fn func(object)) {
	for i := range settings {
		for _, o := range settings[i].objects() {
			inside(o.settings, fn)
			fn(o)
		}
	}
}

// walk calls fn for every setting, and for those inside of objects.
func walk(settings []setting, fn func(*setting)) {
	for i := range settings {
		fn(&settings[i])
		for _, o := range settings[i].objects() {
			walk(o.settings, fn)
		}
	}
}
