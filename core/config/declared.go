package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// maxName is the maximum length of a setting's name, in bytes.
const maxName = 64

var places = []string{"", "dir", "file", "database", "schema", "prefix", PlaceRepositories, PlaceTargets, PlaceAccepted}

// Places of lists that an action gets from the rest of its pipeline, unless they are set.
const (
	PlaceRepositories = "repositories" // directories of the repositories that the run writes to
	PlaceTargets      = "targets"      // directories of the other targets that it writes to
	PlaceAccepted     = "accepted"     // losses that are accepted, as KIND=COUNT
)

// declared checks the name, default and bounds of the setting. t is the Go type of its
// value.
func (s *setting) declared(t reflect.Type) error {
	switch {
	case !isName(s.Name) || len(s.Name) > maxName:
		return fmt.Errorf("a name must consist of letters, digits, _, - and ., begin with a letter, and have at most %d characters", maxName)
	case !slices.Contains(places, s.Place):
		return fmt.Errorf("unknown place %s; known places are %s", quote(s.Place), strings.Join(places[1:], ", "))
	case s.Type == Anything && (s.Default != "" || len(s.OneOf) > 0):
		return errors.New("a setting of type anything cannot have a default or a list of values")
	case (s.nests() || s.maps()) && (s.Default != "" || len(s.OneOf) > 0 || s.Place != ""):
		return fmt.Errorf("%s cannot have a default, a list of values or a place", article(s.Type))
	case !s.nests() && (len(s.Fields) > 0 || s.Outer != 0):
		return fmt.Errorf("%s cannot have fields", article(s.Type))
	}
	scratch := setting{Field: s.Field, value: reflect.New(t).Elem()}
	for _, text := range []string{s.Default, s.Example} {
		written := s.Type == Anything || s.nests() || s.maps() || s.lists() && text == s.Example // as YAML
		if text == "" || written {
			continue
		}
		if _, err := scratch.set(text); err != nil {
			return fmt.Errorf("%s: %w", quote(text), err)
		}
	}
	return scratch.bounds()
}

// lists and maps report whether the setting holds several strings.
func (s *setting) lists() bool { return s.Type == List || s.Type == Scalars }
func (s *setting) maps() bool  { return s.Type == Texts || s.Type == Keyring }

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
