package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// maxNesting limits the depth of declarations, maxDepth that of values. They differ
// because objects may contain objects of their own type.
const (
	maxNesting = 8
	maxDepth   = 32
)

// shape is the declaration of an object: of a struct, or of a Declared.
type shape struct {
	of    reflect.Type // the struct; nil for a *Declared
	parts []setting    // settings without values
}

// shapeOf returns the declaration of a struct. outer lists the enclosing shapes,
// outermost first.
func shapeOf(t reflect.Type, outer []*shape) (*shape, error) {
	s := &shape{of: t}
	return s, s.declare(t, nil, append(slices.Clip(outer), s))
}

// declare adds the settings of a struct, which is s or embedded in it. The last element
// of chain is s.
func (s *shape) declare(t reflect.Type, index []int, chain []*shape) error {
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(slices.Clone(index), i)
		name, ok := f.Tag.Lookup("key")
		if !ok {
			if f.Anonymous && f.Type.Kind() == reflect.Struct {
				if err := s.declare(f.Type, at, chain); err != nil {
					return err
				}
			}
			continue
		}
		part := setting{index: at, Field: Field{
			Name: name, Required: f.Tag.Get("required") == "true",
			Default: f.Tag.Get("default"), Help: f.Tag.Get("help"), Example: f.Tag.Get("example"),
			OneOf: strings.Fields(f.Tag.Get("oneof")), Min: f.Tag.Get("min"), Max: f.Tag.Get("max"),
			Open: f.Tag.Get("open") == "true", Place: placeOf(f.Tag, name),
		}}
		if !f.IsExported() || !part.hold(f.Type) {
			return fmt.Errorf("setting %s: field %s of type %s can't hold a setting", name, f.Name, f.Type)
		}
		if one := holds(f.Type); one != nil {
			if err := part.nest(one, chain); err != nil {
				return fmt.Errorf("setting %s: %w", name, err)
			}
		}
		if err := s.add(part, f.Type); err != nil {
			return err
		}
	}
	return nil
}

// hold sets the type of the setting from the Go type of its field.
func (s *setting) hold(t reflect.Type) (ok bool) {
	if s.Type, ok = types[t]; ok {
		return true
	}
	switch {
	case holds(t) == nil:
		return false
	case t.Kind() == reflect.Slice:
		s.Type = Groups
	case t.Kind() == reflect.Map:
		s.Type = Named
	default:
		s.Type = Group
	}
	return true
}

// holds returns the struct T if a Go type is T, *T, []T or map[string]T, else nil.
func holds(t reflect.Type) reflect.Type {
	switch {
	case types[t] != "":
		return nil
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Slice, t.Kind() == reflect.Map && t.Key() == reflect.TypeFor[string]():
		t = t.Elem()
	}
	if _, scalar := types[t]; scalar || t.Kind() != reflect.Struct {
		return nil
	}
	return t
}

// nest sets the shape of the setting's objects, which may be an enclosing one.
func (s *setting) nest(t reflect.Type, chain []*shape) error {
	for i, around := range chain[1:] {
		if around.of == t {
			s.shape, s.Outer = around, len(chain)-1-i
			return nil
		}
	}
	if len(chain) > maxNesting {
		return fmt.Errorf("objects are nested deeper than %d", maxNesting)
	}
	var err error
	if s.shape, err = shapeOf(t, chain); err != nil {
		return err
	}
	s.Fields = s.shape.fields()
	return nil
}

// declaredShape returns the declaration of fields from another process. chain is as for
// nest; count is the number of fields so far.
func declaredShape(fields []Field, chain []*shape, count *int) (*shape, error) {
	s := &shape{}
	chain = append(slices.Clip(chain), s)
	if len(chain) > maxNesting+1 {
		return nil, fmt.Errorf("objects are nested deeper than %d", maxNesting)
	}
	if *count += len(fields); *count > maxFields {
		return nil, fmt.Errorf("%d settings are declared, the maximum is %d", *count, maxFields)
	}
	for i, f := range fields {
		goType, ok := holders[f.Type]
		if err := f.bounded(); err != nil {
			return nil, fmt.Errorf("setting %d (%s): %w", i+1, quote(f.Name), err)
		}
		if !ok {
			return nil, fmt.Errorf("setting %s: type %s is unknown", quote(f.Name), quote(string(f.Type)))
		}
		f.OneOf = slices.Clone(f.OneOf)
		part := setting{Field: f}
		if part.nests() {
			if err := part.nestDeclared(chain, count); err != nil {
				return nil, fmt.Errorf("setting %s: %w", quote(f.Name), err)
			}
		}
		if err := s.add(part, goType); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// nestDeclared sets the shape of the objects of a setting from its Fields or its Outer.
func (s *setting) nestDeclared(chain []*shape, count *int) (err error) {
	switch {
	case s.Outer == 0:
		s.shape, err = declaredShape(s.Fields, chain, count)
		s.Fields = slices.Clone(s.Fields)
	case s.Outer < 0 || s.Outer >= len(chain) || len(s.Fields) > 0:
		return errors.New("outer must refer to an enclosing object, and excludes fields")
	default:
		s.shape = chain[len(chain)-s.Outer]
	}
	return err
}

// add appends a setting if its declaration is valid. t is the Go type of its value.
func (s *shape) add(part setting, t reflect.Type) error {
	part.path, part.key = part.Name, part.Name
	if find(s.parts, part.Name) != nil {
		return fmt.Errorf("setting %s is declared twice", part.Name)
	}
	if err := part.declared(t); err != nil {
		return fmt.Errorf("setting %s: %w", quote(part.Name), err)
	}
	s.parts = append(s.parts, part)
	return nil
}

func (s *shape) fields() []Field {
	fields := make([]Field, len(s.parts))
	for i := range s.parts {
		fields[i] = s.parts[i].Field
	}
	return fields
}

// settings returns the settings of an object, which is a settable struct or a *Declared,
// with their values. path and key are those of the object, "" for the outermost.
func (s *shape) settings(of reflect.Value, path, key string) []setting {
	parts := slices.Clone(s.parts)
	d, _ := of.Interface().(*Declared)
	for i := range parts {
		if path != "" {
			parts[i].path, parts[i].key = path+"."+parts[i].Name, key+"."+parts[i].Name
		}
		if d != nil {
			parts[i].value = d.values[i]
		} else {
			parts[i].value = of.FieldByIndex(parts[i].index)
		}
	}
	return parts
}

// make returns a new object: a settable struct, or a *Declared.
func (s *shape) make() reflect.Value {
	if s.of != nil {
		return reflect.New(s.of).Elem()
	}
	return reflect.ValueOf(newDeclared(s, nil))
}
