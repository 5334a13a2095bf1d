package config

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Type is what a setting holds, in the words of help and docs.
type Type string

// The types of settings.
const (
	Text     Type = "text"
	Number   Type = "number"
	Switch   Type = "true or false"
	List     Type = "list of texts"
	Hidden   Type = "secret"
	Bytes    Type = "size"
	Span     Type = "duration"
	Anything Type = "anything"
)

// Field describes a setting.
type Field struct {
	Name     string   `json:"name"`
	Type     Type     `json:"type"`
	Required bool     `json:"required,omitempty"`
	Default  string   `json:"default,omitempty"` // as it would be written; "" for none
	Help     string   `json:"help"`
	Example  string   `json:"example,omitempty"`
	OneOf    []string `json:"one_of,omitempty"`
	Min      string   `json:"min,omitempty"` // as it would be written; "" for no bound
	Max      string   `json:"max,omitempty"`
	Open     bool     `json:"-"`               // its value is the name of something, and may be shown; it does not cross to another process
	Place    string   `json:"place,omitempty"` // what it tells of where a stage works, see the package's description
}

var types = map[reflect.Type]Type{
	reflect.TypeFor[string]():    Text,
	reflect.TypeFor[int]():       Number,
	reflect.TypeFor[int64]():     Number,
	reflect.TypeFor[bool]():      Switch,
	reflect.TypeFor[[]string]():  List,
	reflect.TypeFor[Secret]():    Hidden,
	reflect.TypeFor[Size]():      Bytes,
	reflect.TypeFor[Duration]():  Span,
	reflect.TypeFor[yaml.Node](): Anything,
}

// Describe lists the settings that the structs targets point to declare, in
// order. An error is a mistake in a declaration.
func Describe(targets ...any) ([]Field, error) {
	settings, err := open(targets)
	fields := make([]Field, len(settings))
	for i, s := range settings {
		fields[i] = s.Field
	}
	return fields, err
}

// setting is a Field and where its value is kept.
type setting struct {
	Field
	value reflect.Value
}

func open(targets []any) ([]setting, error) {
	var settings []setting
	for _, target := range targets {
		v := reflect.ValueOf(target)
		if d, ok := target.(*Declared); ok && d != nil {
			for _, s := range d.settings {
				var err error
				if settings, err = add(settings, s); err != nil {
					return nil, err
				}
			}
			continue
		}
		if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
			return nil, fmt.Errorf("declaration %T is not a pointer to a struct", target)
		}
		var err error
		if settings, err = declared(settings, v.Elem()); err != nil {
			return nil, fmt.Errorf("declaration %T: %w", target, err)
		}
	}
	return settings, nil
}

func declared(settings []setting, v reflect.Value) ([]setting, error) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, ok := f.Tag.Lookup("key")
		if !ok {
			if f.Anonymous && f.Type.Kind() == reflect.Struct {
				var err error
				if settings, err = declared(settings, v.Field(i)); err != nil {
					return nil, err
				}
			}
			continue
		}
		typ, ok := types[f.Type]
		if !f.IsExported() || !ok {
			return nil, fmt.Errorf("setting %s: field %s of type %s can't hold a setting", name, f.Name, f.Type)
		}
		s := setting{value: v.Field(i), Field: Field{
			Name: name, Type: typ, Required: f.Tag.Get("required") == "true",
			Default: f.Tag.Get("default"), Help: f.Tag.Get("help"), Example: f.Tag.Get("example"),
			OneOf: strings.Fields(f.Tag.Get("oneof")), Min: f.Tag.Get("min"), Max: f.Tag.Get("max"),
		}}
		s.Open = f.Tag.Get("open") == "true"
		s.Place = placeOf(f.Tag, name)
		var err error
		if settings, err = add(settings, s); err != nil {
			return nil, err
		}
	}
	return settings, nil
}

// add appends a setting that is declared as it must be.
func add(settings []setting, s setting) ([]setting, error) {
	if find(settings, s.Name) != nil {
		return nil, fmt.Errorf("setting %s is declared twice", s.Name)
	}
	if err := s.declared(); err != nil {
		return nil, fmt.Errorf("setting %s: %w", quote(s.Name), err)
	}
	return append(settings, s), nil
}

// usual is what settings of these names tell unless a tag says otherwise.
var usual = map[string]string{"dir": "dir", "path": "file", "file": "file", "dsn": "database", "prefix": "prefix"}

func placeOf(tag reflect.StructTag, name string) string {
	if place, ok := tag.Lookup("place"); ok {
		return place
	}
	return usual[name]
}

func find(settings []setting, name string) *setting {
	for i := range settings {
		if settings[i].Name == name {
			return &settings[i]
		}
	}
	return nil
}

// Defaults gives every setting that is still zero the default it declares.
func Defaults(targets ...any) error {
	settings, err := open(targets)
	if err != nil {
		return err
	}
	return defaults(settings)
}

func defaults(settings []setting) error {
	for _, s := range settings {
		if s.Default == "" || !s.value.IsZero() {
			continue
		}
		if _, err := s.set(s.Default); err != nil {
			return fmt.Errorf("default of %s: %w", s.Name, err)
		}
	}
	return nil
}

// Place is a setting that tells where a stage works.
type Place struct{ Key, Value string }

// Places returns what target tells about where its stage works, by the place
// that its settings declare, secrets revealed. For comparing, not for printing.
func Places(target any) (map[string]Place, error) {
	settings, err := open([]any{target})
	if err != nil {
		return nil, err
	}
	places := map[string]Place{}
	for _, s := range settings {
		if s.Place == "" {
			continue
		}
		switch v := s.value.Interface().(type) {
		case string:
			places[s.Place] = Place{s.Name, v}
		case Secret:
			places[s.Place] = Place{s.Name, v.Reveal()}
		}
	}
	return places, nil
}
