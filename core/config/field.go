package config

import (
	"fmt"
	"reflect"

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
	Default  string   `json:"default,omitempty"` // as it would be written; "" for none
	Help     string   `json:"help"`
	Example  string   `json:"example,omitempty"`
	OneOf    []string `json:"one_of,omitempty"`
	Min      string   `json:"min,omitempty"` // as it would be written; "" for no bound
	Max      string   `json:"max,omitempty"`
	Open     bool     `json:"-"`               // its value is the name of something, and may be shown; it does not cross to another process
	Place    string   `json:"place,omitempty"` // what it tells of where a stage works, see the package's description
	// Fields are those of an object, and of each object of a list or map.
	Fields []Field `json:"fields,omitempty"`
	// Outer, if it is not 0, says in place of Fields that the objects are like the one
	// so many levels further out; 1 is the object that has this setting.
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
	index []int  // of the field in its struct; nil in a Declared
	shape *shape // of the objects that it holds; nil where it holds none
	path  string // what messages call it: rules[2].table. It shows no key of a map that could be a secret
	key   string // what At calls it: as path, with all keys of maps
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

// Defaults sets every setting that is zero to its default.
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

// Place is a setting that names a place where a stage reads or writes.
type Place struct{ Key, Value string }

// Places returns what target tells about where its stage works, by the place
// that its settings declare, secrets revealed. For comparing, not for printing.
// Settings inside of objects count where none outside tells the same; those inside
// of lists and maps don't.
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
