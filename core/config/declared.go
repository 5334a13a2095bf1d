package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// maxName is the most bytes of a setting's name.
const maxName = 64

var places = []string{"", "dir", "file", "database", "schema", "prefix"}

// declared checks that names, defaults and bounds can be what they are declared to be.
func (s *setting) declared() error {
	switch {
	case !isName(s.Name) || len(s.Name) > maxName:
		return fmt.Errorf("a name must be letters, digits, _, - and ., begin with a letter, and have at most %d characters", maxName)
	case !slices.Contains(places, s.Place):
		return fmt.Errorf("place %s is unknown, known are %s", quote(s.Place), strings.Join(places[1:], ", "))
	case s.Type == Anything && (s.Default != "" || len(s.OneOf) > 0):
		return errors.New("what can be anything has no default and no list of values")
	}
	scratch := setting{Field: s.Field, value: reflect.New(s.value.Type()).Elem()}
	for _, text := range []string{s.Default, s.Example} {
		if text == "" || s.Type == Anything || s.Type == List && text == s.Example {
			continue
		}
		if _, err := scratch.set(text); err != nil {
			return fmt.Errorf("%s: %w", quote(text), err)
		}
	}
	return s.bounds()
}

func (s *setting) bounds() error {
	var ends []int64
	for _, bound := range []string{s.Min, s.Max} {
		if bound == "" {
			continue
		}
		n, err := s.number(bound)
		if err != nil {
			return fmt.Errorf("bound %s: %w", quote(bound), err)
		}
		ends = append(ends, n)
	}
	if len(ends) == 2 && ends[0] > ends[1] {
		return fmt.Errorf("min %s is more than max %s", s.Min, s.Max)
	}
	return nil
}
