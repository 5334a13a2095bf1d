package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"unicode/utf8"
)

// Assign sets the settings of targets from JSON as written by Encode. It does not
// resolve references. Settings that the JSON does not contain get their declared
// defaults; previous values are discarded. Then Assign calls Validate of the targets and
// of the objects in them.
//
// Unknown, duplicate and missing keys, and values of the wrong type or out of bounds, are
// errors made with At. Assign returns them joined; they do not contain values of secrets.
// The targets must not be used after an error.
func Assign(raw []byte, targets ...any) error {
	settings, err := open(targets)
	if err != nil {
		return err
	}
	for _, s := range settings {
		s.value.SetZero()
	}
	if errs := assign(raw, settings, "", "", 0); len(errs) > 0 {
		return errors.Join(errs...)
	}
	return validate(targets, settings)
}

// AssignValues is like Assign, for Go values: strings, numbers, booleans, Secret, Size
// and Duration, and lists and maps of them.
func AssignValues(values map[string]any, targets ...any) error {
	revealed, err := reveal(values)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(revealed)
	if err != nil {
		return errors.New("the settings cannot be encoded as JSON")
	}
	return Assign(raw, targets...)
}

// reveal converts a value so that encoding/json encodes it as Assign expects.
func reveal(value any) (any, error) {
	switch v := value.(type) {
	case string:
		return v, wellFormed(v)
	case Secret:
		return v.Reveal(), wellFormed(v.Reveal())
	case Duration:
		return v.String(), nil
	case map[string]any:
		return revealAll(v)
	case map[string]Secret:
		return revealAll(v)
	case []any:
		list := []any{}
		for _, item := range v {
			one, err := reveal(item)
			if err != nil {
				return nil, err
			}
			list = append(list, one)
		}
		return list, nil
	}
	return value, nil
}

func revealAll[V any](values map[string]V) (any, error) {
	all := map[string]any{}
	for key, value := range values {
		one, err := reveal(value)
		if err != nil {
			return nil, At(key, "%s %w", key, err)
		}
		all[key] = one
	}
	return all, nil
}

// assign sets the settings of one object. path and key are "" for the root.
func assign(raw []byte, settings []setting, path, key string, depth int) []error {
	values, err := members(raw)
	if depth == maxDepth {
		err = fmt.Errorf("objects are nested deeper than %d", maxDepth)
	}
	if err == nil {
		err = defaults(settings)
	}
	if err != nil {
		if key != "" {
			err = At(key, "%s: %w", path, err)
		}
		return []error{err}
	}
	if path, key = path+".", key+"."; path == "." {
		path, key = "", ""
	}
	var errs []error
	there := map[string]bool{}
	for _, v := range values {
		s := find(settings, v.key)
		switch {
		case s == nil:
			errs = append(errs, At(key+v.key, "unknown key %s%s", path, quote(v.key)))
		case there[v.key]:
			errs = append(errs, At(s.key, "duplicate key %s", s.path))
		case s.nests():
			there[v.key] = true
			errs = append(errs, s.assignObjects(v.raw, depth+1)...)
		default:
			there[v.key] = true
			if err := s.assign(v.raw); err != nil {
				errs = append(errs, At(s.key, "%s %w", s.path, err))
			}
		}
	}
	for _, s := range settings {
		if s.Required && !there[s.Name] {
			errs = append(errs, At(s.key, "%s is missing", s.path))
		}
	}
	return errs
}

// assignObjects sets the object, list or map of a setting.
func (s *setting) assignObjects(raw json.RawMessage, depth int) (errs []error) {
	wrong := func() []error { return []error{At(s.key, "%s must be %s", s.path, article(s.Type))} }
	switch s.Type {
	case Group:
		if raw[0] != '{' {
			return wrong()
		}
		return assign(raw, s.single().settings, s.path, s.key, depth)
	case Groups:
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil || items == nil {
			return wrong()
		}
		list := reflect.MakeSlice(s.value.Type(), 0, len(items))
		for i, item := range items {
			o := s.fresh(s.element(i))
			errs = append(errs, assign(item, o.settings, o.path, o.key, depth)...)
			list = reflect.Append(list, o.value)
		}
		if s.value.Set(list); s.Required && len(items) == 0 {
			errs = append(errs, At(s.key, "%s is an empty list", s.path))
		}
	default:
		entries, err := members(raw)
		if err != nil {
			return wrong()
		}
		made := reflect.MakeMap(s.value.Type())
		for _, e := range entries {
			o := s.fresh(s.member(e.key))
			errs = append(errs, assign(e.raw, o.settings, o.path, o.key, depth)...)
			made.SetMapIndex(reflect.ValueOf(e.key), o.value)
		}
		if s.value.Set(made); s.Required && len(entries) == 0 {
			errs = append(errs, At(s.key, "%s is empty", s.path))
		}
		if made.Len() < len(entries) {
			errs = append(errs, At(s.key, "%s contains a duplicate name", s.path))
		}
	}
	return errs
}

type member struct {
	key string
	raw json.RawMessage
}

// members returns the members of an object in order. encoding/json cannot be used: it
// accepts duplicate names, replaces invalid UTF-8 and quotes values in its errors.
func members(raw []byte) ([]member, error) {
	raw = bytes.TrimSpace(raw)
	if !utf8.Valid(raw) || !json.Valid(raw) || raw[0] != '{' {
		return nil, errors.New("settings are not a well-formed JSON object")
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
		return nil, errors.New("settings are not a readable JSON object")
	}
	return all, nil
}

// assign sets the value from JSON. Its error describes valid values and does not contain
// the given one.
func (s *setting) assign(raw json.RawMessage) error {
	switch s.Type {
	case Anything:
		n, err := node(raw)
		if err == nil {
			s.value.Set(reflect.ValueOf(*n))
		}
		return err
	case List, Scalars:
		return s.items(raw)
	case Texts, Keyring:
		return s.entries(raw)
	}
	text, quoted := string(raw), s.Type == Text || s.Type == Hidden || s.Type == Span || s.Type == Scalar
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
	var items []*string // null is not a string
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
	s.setItems(texts)
	return nil
}

// entries sets a map of strings or secrets.
func (s *setting) entries(raw json.RawMessage) error {
	wrong := fmt.Errorf("must be %s", article(s.Type))
	all, err := members(raw)
	if err != nil {
		return wrong
	}
	made := reflect.MakeMap(s.value.Type())
	for _, e := range all {
		var text *string
		if err := json.Unmarshal(e.raw, &text); err != nil || text == nil {
			return wrong
		}
		value := reflect.ValueOf(*text)
		if s.Type == Keyring {
			value = reflect.ValueOf(NewSecret(*text))
		}
		made.SetMapIndex(reflect.ValueOf(e.key), value)
	}
	if s.value.Set(made); made.Len() < len(all) {
		return errors.New("contains a duplicate name")
	}
	if s.Required && len(all) == 0 {
		return errors.New("is empty")
	}
	return nil
}

// validate calls all Validate methods and hides secrets in their errors.
func validate(targets []any, settings []setting) error {
	errs := check(targets, settings)
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
