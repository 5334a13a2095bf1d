package config

import (
	"encoding/json"
	"errors"
	"reflect"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Encode writes the settings of target as one JSON object, for the process that
// they belong to and for nobody else: secrets are revealed. Never print it.
//
// A text and a secret is a string, a number an integer, a switch true or false,
// a list an array of strings, a size an integer of bytes, a duration a string
// such as "1m30s", anything the JSON of its YAML value; an object and a map an
// object, a list of objects an array of objects. A zero value without a default
// is left out unless it is required, so that what is not there is the default.
//
// JSON cannot represent text that is not UTF-8: such a value is an error made with
// At that names its key, as is anything without a JSON value (.nan, a key that
// is no text). NUL is a character like others.
func Encode(target any) ([]byte, error) {
	settings, err := open([]any{target})
	if err != nil {
		return nil, err
	}
	object, errs := encoded(settings)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return json.Marshal(object)
}

func encoded(settings []setting) (object map[string]any, errs []error) {
	object = map[string]any{}
	for _, s := range settings {
		switch {
		case s.omitted():
		case s.nests():
			value, bad := s.encodedObjects()
			object[s.Name], errs = value, append(errs, bad...)
		default:
			value, err := s.encode()
			if object[s.Name] = value; err != nil {
				errs = append(errs, At(s.key, "%s %w", s.path, err))
			}
		}
	}
	return object, errs
}

// omitted reports whether the value is left out.
func (s *setting) omitted() bool {
	switch {
	case s.Type == Group && s.value.Kind() == reflect.Struct:
		return !s.Required && s.untouched()
	case s.Type == Anything:
		return s.value.IsZero()
	}
	return s.value.IsZero() && s.Default == "" && !s.Required
}

// untouched reports whether the value is the default.
func (s *setting) untouched() bool {
	if s.Type == Group && s.value.Kind() == reflect.Struct {
		for _, inner := range s.single().settings {
			if !inner.untouched() {
				return false
			}
		}
		return true
	}
	if s.Default == "" {
		return s.value.IsZero()
	}
	scratch := setting{Field: s.Field, value: reflect.New(s.value.Type()).Elem()}
	_, err := scratch.set(s.Default)
	return err == nil && reflect.DeepEqual(scratch.value.Interface(), s.value.Interface())
}

// encodedObjects is the object, the list or the map that the setting holds.
func (s *setting) encodedObjects() (value any, errs []error) {
	list, named := []any{}, map[string]any{}
	for _, o := range s.objects() {
		inner, bad := encoded(o.settings)
		list, named[o.name], errs = append(list, inner), inner, append(errs, bad...)
		if !utf8.ValidString(o.name) {
			errs = append(errs, At(s.key, "%s has a name that is not UTF-8", s.path))
		}
	}
	switch {
	case s.Type == Groups:
		return list, errs
	case s.Type == Named:
		return named, errs
	case len(list) == 0:
		return map[string]any{}, errs
	}
	return list[0], errs
}

// encode is the value as package json writes it.
func (s *setting) encode() (any, error) {
	switch v := s.value.Interface().(type) {
	case string:
		return v, wellFormed(v)
	case Secret:
		return v.Reveal(), wellFormed(v.Reveal())
	case []string:
		return append([]string{}, v...), wellFormed(v...)
	case Literal:
		return v.Text, wellFormed(v.Text)
	case []Literal:
		texts := []string{}
		for _, one := range v {
			texts = append(texts, one.Text)
		}
		return texts, wellFormed(texts...)
	case map[string]string:
		return plainTexts(v, func(text string) string { return text })
	case map[string]Secret:
		return plainTexts(v, Secret.Reveal)
	case Size:
		return int64(v), nil
	case Duration:
		return time.Duration(v).String(), nil
	case yaml.Node:
		return plain(&v)
	default: // int, int64, bool
		return v, nil
	}
}

func plainTexts[V any](of map[string]V, text func(V) string) (map[string]string, error) {
	texts := map[string]string{}
	for name, value := range of {
		texts[name] = text(value)
		if err := wellFormed(name, texts[name]); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

func wellFormed(texts ...string) error {
	for _, text := range texts {
		if !utf8.ValidString(text) {
			return errors.New("is not UTF-8")
		}
	}
	return nil
}
