package config

import (
	"encoding/json"
	"errors"
	"reflect"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Encode returns the settings of target as one JSON object, for the process that they
// belong to. The object contains secrets in clear text: never print it.
//
// Strings and secrets become strings, numbers integers, switches booleans, lists arrays
// of strings, sizes integers in bytes, and durations strings such as "1m30s". A setting
// of type Anything becomes the JSON equivalent of its YAML value. Objects and maps become
// objects, and lists of objects arrays of objects. Zero values without a default are
// omitted unless they are required, so an absent setting has its default.
//
// Encode returns an error made with At for values that JSON cannot represent: strings
// that are not UTF-8, .nan, and maps with keys that are not strings. NUL is allowed.
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

// omitted reports whether Encode omits the value.
func (s *setting) omitted() bool {
	switch {
	case s.Type == Group && s.value.Kind() == reflect.Struct:
		return !s.Required && s.untouched()
	case s.Type == Anything:
		return s.value.IsZero()
	}
	return s.value.IsZero() && s.Default == "" && !s.Required
}

// untouched reports whether the value equals the default.
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

// encodedObjects returns the setting's object, list of objects or map of objects.
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

// encode returns the value in a form that encoding/json can marshal.
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
