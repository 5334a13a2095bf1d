package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"unicode/utf8"
)

// Assign sets the settings of target from JSON as Encode writes it: exactly the
// values that are there, without looking for references, and the declared
// defaults for the others, whatever target held. Then it calls target's
// Validate. An unknown key, one that is there twice, a value of another type or
// outside what is declared and a required key that is missing are errors made
// with At, joined; no message holds a value of a secret. After an error target is
// not to be used.
func Assign(raw []byte, target any) error {
	settings, err := open([]any{target})
	if err != nil {
		return err
	}
	values, err := members(raw)
	if err != nil {
		return err
	}
	for _, s := range settings {
		s.value.SetZero()
	}
	if err := defaults(settings); err != nil {
		return err
	}
	var errs []error
	there := map[string]bool{}
	for _, v := range values {
		s := find(settings, v.key)
		switch {
		case s == nil:
			errs = append(errs, At(v.key, "unknown key %s", quote(v.key)))
		case there[v.key]:
			errs = append(errs, At(v.key, "key %s is there twice", v.key))
		default:
			there[v.key] = true
			if err := s.assign(v.raw); err != nil {
				errs = append(errs, At(v.key, "%s %w", v.key, err))
			}
		}
	}
	for _, s := range settings {
		if s.Required && !there[s.Name] {
			errs = append(errs, At(s.Name, "%s is missing", s.Name))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	return validate(target, settings)
}

type member struct {
	key string
	raw json.RawMessage
}

// members reads an object in its order; package json would let the last of two
// members of a name win, change what is not UTF-8, and quote secrets in its errors.
func members(raw []byte) ([]member, error) {
	raw = bytes.TrimSpace(raw)
	if !utf8.Valid(raw) || !json.Valid(raw) || raw[0] != '{' {
		return nil, errors.New("settings are not one well-formed JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	var all []member
	_, err := d.Token()
	for err == nil && d.More() {
		var m member
		var key json.Token
		if key, err = d.Token(); err == nil {
			m.key, _ = key.(string)
			err = d.Decode(&m.raw)
		}
		all = append(all, m)
	}
	if err != nil {
		return nil, errors.New("settings are not a JSON object that can be read")
	}
	return all, nil
}

// assign sets the value of JSON. Its error tells what the value must be, not what it is.
func (s *setting) assign(raw json.RawMessage) error {
	switch s.Type {
	case Anything:
		n, err := node(raw)
		if err == nil {
			s.value.Set(reflect.ValueOf(*n))
		}
		return err
	case List:
		return s.items(raw)
	}
	text, quoted := string(raw), s.Type == Text || s.Type == Hidden || s.Type == Span
	if quoted != (raw[0] == '"') {
		return fmt.Errorf("must be %s", article(s.Type))
	}
	if quoted {
		if err := json.Unmarshal(raw, &text); err != nil {
			return fmt.Errorf("must be %s", article(s.Type))
		}
	}
	if _, err := s.set(text); err != nil {
		return err
	}
	if s.Required && text == "" {
		return errors.New("is empty")
	}
	return nil
}

func (s *setting) items(raw json.RawMessage) error {
	var items []*string // a null is no text
	if err := json.Unmarshal(raw, &items); err != nil || items == nil {
		return errors.New("must be a list of texts")
	}
	texts := make([]string, 0, len(items))
	for _, item := range items {
		if item == nil {
			return errors.New("must be a list of texts")
		}
		if _, err := s.among(*item); err != nil {
			return err
		}
		texts = append(texts, *item)
	}
	if s.Required && len(texts) == 0 {
		return errors.New("is an empty list")
	}
	s.value.Set(reflect.ValueOf(texts))
	return nil
}

// validate calls target's Validate and hides secrets in what it says.
func validate(target any, settings []setting) error {
	v, ok := target.(interface{ Validate() error })
	if !ok {
		return nil
	}
	errs := Split(v.Validate())
	var hidden Redactor
	hidden.Add(secrets(settings)...)
	for i, err := range errs {
		text := hidden.Redact(err.Error())
		if text == err.Error() {
			continue
		}
		errs[i] = errors.New(text)
		if key, ok := KeyOf(err); ok {
			errs[i] = At(key, "%s", text)
		}
	}
	return errors.Join(errs...)
}
