package config

import (
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Encode writes the settings of target as one JSON object, for the process that
// they belong to and for nobody else: secrets are revealed. Never print it.
//
// A text and a secret is a string, a number an integer, a switch true or false,
// a list an array of strings, a size an integer of bytes, a duration a string
// such as "1m30s", anything the JSON of its YAML value. A zero value without a default
// is left out unless it is required, so that what is not there is the default.
//
// JSON can't carry texts that are not UTF-8: such a value is an error made with
// At that names its key, as is anything without a JSON value (.nan, a key that
// is no text). NUL is a character like others.
func Encode(target any) ([]byte, error) {
	settings, err := open([]any{target})
	if err != nil {
		return nil, err
	}
	object := map[string]any{}
	var errs []error
	for _, s := range settings {
		if s.value.IsZero() && (s.Type == Anything || s.Default == "" && !s.Required) {
			continue
		}
		if object[s.Name], err = s.encode(); err != nil {
			errs = append(errs, At(s.Name, "%s %w", s.Name, err))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return json.Marshal(object)
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

func wellFormed(texts ...string) error {
	for _, text := range texts {
		if !utf8.ValidString(text) {
			return errors.New("is not UTF-8")
		}
	}
	return nil
}
