package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// value decodes the value of one key; depth is that of its mapping.
func (r *run) value(s *setting, n *yaml.Node, depth int) {
	at := r.at[s.key].Position
	switch {
	case s.Type == Anything:
		s.value.Set(reflect.ValueOf(*n))
	case r.marked(s, n, at) || r.full(s, at):
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		r.report(Error, at, s.path, s.path+" has no value", "give one, or remove the line")
	case s.lists():
		r.list(s, n)
	case s.maps():
		r.texts(s, n)
	case s.Type == Group:
		o := object{}
		if n.Kind == yaml.MappingNode {
			o = s.single()
		}
		r.level(&level{node: n, settings: o.settings, path: s.path, depth: depth + 1})
	case s.Type == Groups:
		r.objects(s, n, depth)
	case s.Type == Named:
		r.named(s, n, depth)
	default:
		r.scalar(s, n, at)
	}
}

// full reports when there are too many values.
func (r *run) full(s *setting, at Position) bool {
	r.values++
	if r.values == maxValues {
		r.report(Error, at, s.path, fmt.Sprintf("the file has more than %d values", maxValues), "use fewer values or aliases")
	}
	return r.values >= maxValues
}

// scalar decodes a scalar value; ok is false if it is not set.
func (r *run) scalar(s *setting, n *yaml.Node, at Position) (ok bool) {
	if n.Kind != yaml.ScalarNode {
		r.report(Error, at, s.path, fmt.Sprintf("%s must be %s, not %s", s.path, article(s.Type), kindName(n)), "")
		return false
	}
	text, dynamic, ok := r.text(s, n, at)
	if !ok || !dynamic && !r.tagged(s, n, at) || !r.sane(s, text, n, at) {
		return false
	}
	if s.isPath() {
		text = resolve(r.Values.Dir, text)
	}
	if suggestion, err := s.set(text); err != nil {
		r.report(Error, at, s.path, fmt.Sprintf("%s %v%s", s.path, err, r.not(s, n.Value)), suggestion)
		return false
	}
	if text == "" && (s.Required || s.Type == Hidden) {
		r.report(Error, at, s.path, s.path+" is empty", "give it a value")
	}
	if s.Type == Hidden && !dynamic && text != "" {
		r.report(Warning, at, s.path, s.path+" is a secret, but is written in this file", "write ${env:NAME} or ${file:/path} instead")
	}
	return true
}

// sane rejects values that cannot be an address of a database, a path or a public key.
// Such mistakes would create directories and files with odd names, or be shown. n is the
// node in the file, text its resolved value.
func (r *run) sane(s *setting, text string, n *yaml.Node, at Position) bool {
	name, dynamic := s.path, false
	if references := referenceNames(n.Value); references != "" {
		name, dynamic = s.path+" (from "+references+")", true
	}
	odd := Misreading(text)
	switch {
	case s.Place == "database" && strings.ContainsFunc(text, unicode.IsControl):
		r.report(Error, at, s.path, name+" contains a line break or another control character", "remove it; in a URL, write it as %XX")
	case s.Type != Hidden && strings.Contains(text, "AGE-SECRET-KEY-"):
		r.report(Error, at, s.path, name+" contains an age secret key", "write the public key (age1…) that age-keygen -y FILE prints")
	case s.isPath() && odd != nil && dynamic:
		r.report(Error, at, s.path, name+" "+odd.Problem, odd.Remedy)
	case s.isPath() && odd != nil:
		r.report(Error, at, s.path, name+" "+odd.Problem, odd.Advice())
	default:
		return true
	}
	return false
}

// isPath reports whether a setting is a path on this machine.
func (s *setting) isPath() bool { return s.Type == Text && (s.Place == "dir" || s.Place == "file") }

// text resolves the references of a scalar; ok is false if that failed.
func (r *run) text(s *setting, n *yaml.Node, at Position) (text string, dynamic, ok bool) {
	e := r.Values.expand(n.Value, s.Type == Hidden, func(name string) {
		if r.used == nil {
			r.used = map[string]bool{}
		}
		r.used[name] = true
	})
	for _, p := range e.problems {
		severity := Error
		if !p.grave {
			severity, r.incomplete = Warning, true
		}
		r.report(severity, at, s.path, s.path+": "+p.message, p.suggestion)
	}
	if s.Type == Hidden {
		if e.hard != "" {
			r.report(Warning, at, s.path, s.path+" is a secret, but the file contains the default of "+e.hard, "remove the default")
		}
		if !e.dynamic { // remove the line break of a block scalar
			e.text = cutBreak(e.text)
		}
	}
	if e.dynamic {
		r.remember(s, e)
	}
	r.incomplete = r.incomplete || e.unread
	return e.text, e.dynamic, len(e.problems) == 0 && !e.unread
}

// marked reports values that YAML does not read as their author probably intended.
func (r *run) marked(s *setting, n *yaml.Node, at Position) bool {
	switch tag := n.ShortTag(); {
	case !slices.Contains([]string{"", "!", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!binary", "!!map", "!!seq", "!!merge"}, tag):
		r.report(Error, at, s.path, s.path+` starts with "!", which YAML reads as a tag`, "quote it")
	case n.Kind == yaml.ScalarNode && n.Anchor != "" && tag == "!!null":
		r.report(Error, at, s.path, s.path+` starts with "&", which YAML reads as an anchor`, "quote it")
	default:
		return false
	}
	return true
}

// tagged checks the YAML type of a literal.
func (r *run) tagged(s *setting, n *yaml.Node, at Position) bool {
	tag := n.ShortTag()
	text := tag == "!!str" || tag == "!!timestamp" || tag == "!!binary"
	switch s.Type {
	case Text, Hidden, Span:
		if tag == "!!bool" && slices.Contains(s.OneOf, n.Value) {
			return true // such as replace: true, in_place or false
		}
		if !text {
			suggestion := "put quotes around it"
			if s.Type == Span {
				suggestion = "write it with a unit, such as 30s"
			}
			r.report(Error, at, s.path, fmt.Sprintf("%s must be %s, not %s", s.path, article(s.Type), tagName(tag)), suggestion)
			return false
		}
	case Scalar:
		if !text && tag != "!!int" && tag != "!!bool" {
			r.report(Error, at, s.path, fmt.Sprintf("%s must be text, a whole number, true or false, not %s", s.path, tagName(tag)), "quote it")
			return false
		}
	case Number, Switch:
		if text {
			r.report(Error, at, s.path, fmt.Sprintf("%s must be %s%s", s.path, article(s.Type), r.not(s, n.Value)), unquoted(n))
			return false
		}
	}
	return true
}

func (r *run) list(s *setting, n *yaml.Node) {
	at := r.at[s.key].Position
	if n.Kind != yaml.SequenceNode {
		r.report(Error, at, s.path, fmt.Sprintf("%s must be a list, not %s", s.path, kindName(n)), fmt.Sprintf("write %s: [VALUE, …]", s.Name))
		return
	}
	items := make([]string, 0, len(n.Content))
	one := setting{Field: Field{Name: s.Name, Type: Text, OneOf: s.OneOf}, value: reflect.New(reflect.TypeFor[string]()).Elem(), path: s.path, key: s.key}
	if s.Type == Scalars {
		one.Type, one.value = Scalar, reflect.New(reflect.TypeFor[Literal]()).Elem()
	}
	for i, c := range n.Content {
		where, c := r.At(c), Resolve(c)
		path, key := s.element(i)
		r.at[key] = spot{where, path}
		if r.marked(s, c, where) || r.full(s, where) {
			continue
		}
		if c.Kind != yaml.ScalarNode {
			r.report(Error, where, s.path, fmt.Sprintf("%s must be a list of texts; this is %s", s.path, kindName(c)), "")
			continue
		}
		text, dynamic, ok := r.text(&one, c, where)
		if !ok || !dynamic && !r.tagged(&one, c, where) || !r.sane(&one, text, c, where) {
			continue
		}
		if suggestion, err := one.set(text); err != nil {
			r.report(Error, where, s.path, fmt.Sprintf("%s %v%s", s.path, err, r.not(&one, c.Value)), suggestion)
			continue
		}
		items = append(items, text)
	}
	if s.Required && len(n.Content) == 0 {
		r.report(Error, at, s.path, s.path+" is an empty list", "give it at least one value")
	}
	s.setItems(items)
}

// set sets the value from text. Its error describes valid values and never contains
// text; the suggestion may be empty.
func (s *setting) set(text string) (suggestion string, err error) {
	switch s.Type {
	case Text:
		s.value.SetString(text)
	case Hidden:
		s.value.Set(reflect.ValueOf(NewSecret(text)))
	case Scalar:
		s.value.Set(reflect.ValueOf(Literal{text, true}))
	case List, Scalars: // a default: the items separated by spaces
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

// among checks that text is one of the allowed values, or an equal size, duration or
// number.
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

// limits describes the bounds of a setting.
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
