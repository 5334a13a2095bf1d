package config

import (
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// Type is the type of a setting, as help and docs name it.
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
	Scalar   Type = "text, number, true or false"
	Scalars  Type = "list of texts or numbers"
	Texts    Type = "map of texts"
	Keyring  Type = "map of secrets"
	Group    Type = "object"
	Groups   Type = "list of objects"
	Named    Type = "map of objects"
)

// Field describes a setting.
type Field struct {
	Name     string   `json:"name"`
	Type     Type     `json:"type"`
	Required bool     `json:"required,omitempty"`
	Default  string   `json:"default,omitempty"` // as written in YAML; "" for none
	Help     string   `json:"help"`
	Example  string   `json:"example,omitempty"`
	OneOf    []string `json:"one_of,omitempty"`
	Min      string   `json:"min,omitempty"` // as written in YAML; "" for no bound
	Max      string   `json:"max,omitempty"`
	Open     bool     `json:"-"`               // the value may be shown (see the package comment); not sent to other processes
	Place    string   `json:"place,omitempty"` // which part of a location it is (see the package comment)
	// Fields lists the fields of the object, or of each object in the list or map.
	Fields []Field `json:"fields,omitempty"`
	// Outer, if not 0, replaces Fields: the objects have the same type as the enclosing
	// object that many levels out. 1 is the object that contains this setting.
	Outer int `json:"outer,omitempty"`
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
	reflect.TypeFor[Literal]():   Scalar,
	reflect.TypeFor[[]Literal](): Scalars,

	reflect.TypeFor[map[string]string](): Texts,
	reflect.TypeFor[map[string]Secret](): Keyring,
}

// Describe returns the settings of the structs that targets point to, in order. It
// returns an error if a declaration is invalid.
func Describe(targets ...any) ([]Field, error) {
	settings, err := open(targets)
	fields := make([]Field, len(settings))
	for i, s := range settings {
		fields[i] = s.Field
	}
	return fields, err
}

// setting is a Field and its value.
type setting struct {
	Field
	value reflect.Value
	index []int  // of the field in its struct; nil in a Declared
	shape *shape // of its objects; nil if it has none
	path  string // for messages: rules[2].table; without keys of maps that could be secrets
	key   string // for At: like path, with all keys of maps
}

func open(targets []any) ([]setting, error) {
	var settings []setting
	for _, target := range targets {
		object := reflect.ValueOf(target)
		var of *shape
		if d, ok := target.(*Declared); ok && d != nil {
			of = d.shape
		} else {
			if object.Kind() != reflect.Pointer || object.IsNil() || object.Elem().Kind() != reflect.Struct {
				return nil, fmt.Errorf("declaration %T is not a pointer to a struct", target)
			}
			object = object.Elem()
			var err error
			if of, err = shapeOf(object.Type(), nil); err != nil {
				return nil, fmt.Errorf("declaration %T: %w", target, err)
			}
		}
		for _, s := range of.settings(object, "", "") {
			if find(settings, s.Name) != nil {
				return nil, fmt.Errorf("setting %s is declared twice", s.Name)
			}
			settings = append(settings, s)
		}
	}
	return settings, nil
}

// usual maps names of settings to their place if they have no place tag.
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

// Defaults sets all zero settings of targets to their defaults.
func Defaults(targets ...any) error {
	settings, err := open(targets)
	if err != nil {
		return err
	}
	return defaults(settings)
}

func defaults(settings []setting) error {
	for _, s := range settings {
		if err := s.each(func(o object) error { return defaults(o.settings) }); err != nil {
			return err
		}
		if s.Default == "" || !s.value.IsZero() {
			continue
		}
		if _, err := s.set(s.Default); err != nil {
			return fmt.Errorf("default of %s: %w", s.path, err)
		}
	}
	return nil
}

// Place is a setting that is part of the location where a stage reads or writes.
type Place struct{ Key, Value string }

// Places returns the settings of target that declare a place, by place, with secrets in
// clear text. Use it to compare locations; never print the result. A setting in an object
// is used if no outer setting declares the same place. Settings in lists and maps are
// ignored.
func Places(target any) (map[string]Place, error) {
	settings, err := open([]any{target})
	if err != nil {
		return nil, err
	}
	places := map[string]Place{}
	addPlaces(places, settings)
	return places, nil
}

func addPlaces(places map[string]Place, settings []setting) {
	for _, s := range settings {
		var value string
		switch v := s.value.Interface().(type) {
		case string:
			value = v
		case Secret:
			value = v.Reveal()
		default:
			continue
		}
		if s.Place != "" && places[s.Place].Value == "" && (value != "" || s.key == s.Name) {
			places[s.Place] = Place{s.key, value}
		}
	}
	for _, s := range settings {
		if s.Type == Group {
			for _, o := range s.objects() {
				addPlaces(places, o.settings)
			}
		}
	}
}
