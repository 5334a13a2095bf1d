package siteconfig

import (
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle/php"
)

// lookup returns a setting, first from Options.Given, then from config.php. Its value
// may be unknown.
func (s *Site) lookup(name string) (v php.Value, shown string, pos php.Pos, ok bool) {
	pos = php.Pos{File: s.File}
	if secret, given := s.given[name]; given {
		return php.String(secret.Reveal()), "", pos, true
	}
	for _, p := range s.settings {
		if p.Name == name {
			return p.Value, p.Shown, p.Pos, true
		}
	}
	return v, "", pos, false
}

// optional returns the text of a setting, "" if it is not set. An unknown value is an
// error.
func (s *Site) optional(name string) (string, error) {
	v, shown, pos, ok := s.lookup(name)
	if !ok && s.open != nil {
		return "", s.unknown(name, "", pos, s.open)
	}
	return s.text(name, v, shown, pos)
}

// needed returns the text of a setting that must not be empty.
func (s *Site) needed(name string) (string, error) {
	text, err := s.optional(name)
	if err == nil && text == "" {
		_, shown, pos, _ := s.lookup(name)
		err = s.unknown(name, shown, pos, nil)
	}
	return text, err
}

// text converts a value to text. An unset environment variable is not an empty text.
func (s *Site) text(name string, v php.Value, shown string, pos php.Pos) (string, error) {
	if why := v.Unknown(); why != nil {
		return "", s.unknown(name, shown, pos, why)
	}
	if missing := v.Kind() == php.KindBool && v == php.Bool(false) && len(s.unsetAt(pos)) > 0 || v.Kind() == php.KindNull && pos.Line > 0 && len(s.Unset) > 0; missing {
		return "", s.unknown(name, shown, pos, nil)
	}
	text, ok := v.Text()
	if !ok {
		return "", failure.New(failure.Usage, "%s: %s is %s, and must be a string; give %s as an option", pos, name, v.Kind(), name)
	}
	if strings.ContainsRune(text, 0) {
		return "", failure.New(failure.Usage, "%s: %s contains a NUL character", pos, name)
	}
	return text, nil
}

func (s *Site) unknown(name, shown string, pos php.Pos, why *php.Reason) error {
	e := &UnknownError{Settings: []string{name}, Pos: pos, Shown: shown, Reason: why}
	if why == nil {
		e.Unset = s.unsetAt(pos)
	}
	return failure.Wrap(failure.Usage, e)
}

// unsetAt lists the variables that a line reads and that are not set.
func (s *Site) unsetAt(pos php.Pos) (names []string) {
	for _, u := range s.Unset {
		if u.Pos == pos {
			names = append(names, u.Name)
		}
	}
	return names
}
