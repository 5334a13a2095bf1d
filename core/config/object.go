package config

import (
	"fmt"
	"reflect"
	"slices"
)

// object is an object in a setting.
type object struct {
	value     reflect.Value // a settable struct, or a *Declared
	settings  []setting
	path, key string
	name      string // its key in a map
}

// nests reports whether the setting holds objects.
func (s *setting) nests() bool { return s.Type == Group || s.Type == Groups || s.Type == Named }

// element returns the path and the key of an item of a list.
func (s *setting) element(i int) (path, key string) {
	return fmt.Sprintf("%s[%d]", s.path, i), fmt.Sprintf("%s[%d]", s.key, i)
}

// member returns the path and the key of a value of a map. The path shows the name in the
// map only if it can hardly be a secret.
func (s *setting) member(key string) (path, full string) {
	shown := "…"
	if Shown("", key) != "" {
		shown = key
	}
	return s.path + "[" + shown + "]", s.key + "[" + key + "]"
}

// fresh returns a new object for a list or a map.
func (s *setting) fresh(path, key string) object {
	v := s.shape.make()
	return object{value: v, settings: s.shape.settings(v, path, key), path: path, key: key}
}

// single returns the object of a setting of type Group. It creates the object if there is
// none.
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

// objects returns the objects that exist; those of a map are copies, sorted by name.
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

// names returns the names in a map, sorted.
func (s *setting) names() []string {
	var names []string
	for _, k := range s.value.MapKeys() {
		names = append(names, k.String())
	}
	slices.Sort(names)
	return names
}

// copied returns an object of a map as a settable value.
func (s *setting) copied(name string) reflect.Value {
	v := s.value.MapIndex(reflect.ValueOf(name))
	if s.shape.of == nil {
		return v
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

// each calls fn for every object of the setting and stores what fn changes.
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

// inside calls fn for every object in settings, innermost first.
func inside(settings []setting, fn func(object)) {
	for i := range settings {
		for _, o := range settings[i].objects() {
			inside(o.settings, fn)
			fn(o)
		}
	}
}

// walk calls fn for every setting, including those in objects.
func walk(settings []setting, fn func(*setting)) {
	for i := range settings {
		fn(&settings[i])
		for _, o := range settings[i].objects() {
			walk(o.settings, fn)
		}
	}
}
