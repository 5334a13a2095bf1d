package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// set stores the value that text says. Its error tells what the value must be
// and never contains text; the suggestion may be empty.
func (s *setting) set(text string) (suggestion string, err error) {
	switch s.Type {
	case Text:
		s.value.SetString(text)
	case Hidden:
		s.value.Set(reflect.ValueOf(NewSecret(text)))
	case Scalar:
		s.value.Set(reflect.ValueOf(Literal{text, true}))
	case List, Scalars: // a default: the items with spaces between
		items := strings.Fields(text)
		for _, item := range items {
			if suggestion, err := s.among(item); err != nil {
				return suggestion, err
			}
		}
		s.setItems(items)
		return "", nil
	case Switch:
		if text != "true" && text != "false" {
			return "", errors.New("must be true or false")
		}
		s.value.SetBool(text == "true")
	case Number, Bytes, Span:
		n, err := s.number(text)
		if err != nil {
			return "", err
		}
		if err := s.within(n); err != nil {
			return "", err
		}
		s.value.SetInt(n)
	default:
		return "", fmt.Errorf("must be %s", s.Type)
	}
	return s.among(text)
}

// setItems sets the value of a list.
func (s *setting) setItems(items []string) {
	if s.Type == List {
		s.value.Set(reflect.ValueOf(items))
		return
	}
	literals := make([]Literal, len(items))
	for i, item := range items {
		literals[i] = Literal{item, true}
	}
	s.value.Set(reflect.ValueOf(literals))
}

// among checks that text is one of the values that may be: written like one, or
// the same size, duration or number.
func (s *setting) among(text string) (suggestion string, err error) {
	if len(s.OneOf) == 0 || slices.ContainsFunc(s.OneOf, func(one string) bool { return one == text || s.same(one, text) }) {
		return "", nil
	}
	return Nearest(text, s.OneOf), fmt.Errorf("must be one of %s", strings.Join(s.OneOf, ", "))
}

func (s *setting) same(a, b string) bool {
	x, err := s.number(a)
	if err != nil {
		return false
	}
	y, err := s.number(b)
	return err == nil && x == y
}

func (s *setting) number(text string) (int64, error) {
	switch s.Type {
	case Bytes:
		n, err := ParseSize(text)
		if err != nil {
			return 0, errors.New("must be a size such as 512KiB, 256MiB or 2GiB")
		}
		return int64(n), nil
	case Span:
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return 0, fmt.Errorf("must be a duration such as 30s, 5m or 1h30m%s", s.limits())
		}
		return int64(d), nil
	case Number:
		n, err := strconv.ParseInt(text, 10, s.value.Type().Bits())
		if err != nil {
			return 0, errors.New("must be a whole number")
		}
		return n, nil
	}
	return 0, fmt.Errorf("%s has no bounds", s.Type)
}

// limits says between what a value must be.
func (s *setting) limits() string {
	switch {
	case s.Min != "" && s.Max != "":
		return ", from " + s.Min + " to " + s.Max
	case s.Min != "":
		return ", at least " + s.Min
	case s.Max != "":
		return ", at most " + s.Max
	}
	return ""
}

func (s *setting) within(n int64) error {
	if s.Min != "" {
		if least, err := s.number(s.Min); err != nil || n < least {
			return errors.Join(fmt.Errorf("must be at least %s", s.Min), err)
		}
	}
	if s.Max != "" {
		if most, err := s.number(s.Max); err != nil || n > most {
			return errors.Join(fmt.Errorf("must be at most %s", s.Max), err)
		}
	}
	return nil
}
