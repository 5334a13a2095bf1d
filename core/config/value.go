package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// value decodes the value of one key.
func (r *run) value(s *setting, n *yaml.Node) {
	at := r.at[s.Name]
	switch {
	case s.Type == Anything:
		s.value.Set(reflect.ValueOf(*n))
		return
	case r.marked(s.Name, n, at):
		return
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		r.report(Error, at, s.Name+" has no value", "give one, or remove the line")
		return
	case s.Type == List:
		r.list(s, n)
		return
	case n.Kind != yaml.ScalarNode:
		r.report(Error, at, fmt.Sprintf("%s must be %s, not %s", s.Name, article(s.Type), kindName(n)), "")
		return
	}
	text, dynamic, ok := r.text(s, n, at)
	if !ok || !dynamic && !r.tagged(s, n, at) || !r.sane(s, text, n, at) {
		return
	}
	if s.isPath() {
		text = resolve(r.Values.Dir, text)
	}
	if suggestion, err := s.set(text); err != nil {
		r.report(Error, at, fmt.Sprintf("%s %v%s", s.Name, err, r.not(s, n.Value)), suggestion)
		return
	}
	if text == "" && (s.Required || s.Type == Hidden) {
		r.report(Error, at, s.Name+" is empty", "give it a value")
	}
	if s.Type == Hidden && !dynamic && text != "" {
		r.report(Warning, at, s.Name+" is a secret, and this file holds it", "write ${env:NAME} or ${file:/path} in its place")
	}
}

// sane refuses what a database's address, a path or a public key can't be: such
// mistakes would become directories and files of odd names, or be shown. n is what
// stands in the file, text what it stands for.
func (r *run) sane(s *setting, text string, n *yaml.Node, at Position) bool {
	name, dynamic := s.Name, false
	if references := referenceNames(n.Value); references != "" {
		name, dynamic = s.Name+" (from "+references+")", true
	}
	odd := Misreading(text)
	switch {
	case s.Place == "database" && strings.ContainsFunc(text, unicode.IsControl):
		r.report(Error, at, name+" contains a line break or another control character", "remove it; in a URL, write it as %XX")
	case s.Type != Hidden && strings.Contains(text, "AGE-SECRET-KEY-"):
		r.report(Error, at, name+" holds an age secret key, which does not belong there", "write its public key (age1…), which age-keygen -y FILE prints")
	case s.isPath() && odd != nil && dynamic:
		r.report(Error, at, name+" "+odd.Problem, odd.Remedy)
	case s.isPath() && odd != nil:
		r.report(Error, at, name+" "+odd.Problem, odd.Advice())
	default:
		return true
	}
	return false
}

// isPath tells whether a setting is a path on this machine.
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
		r.report(severity, at, s.Name+": "+p.message, p.suggestion)
	}
	if s.Type == Hidden {
		if e.hard != "" {
			r.report(Warning, at, s.Name+" is a secret, and the file holds the default of "+e.hard, "remove the default")
		}
		if !e.dynamic { // of a block scalar
			e.text = cutBreak(e.text)
		}
	}
	if e.dynamic {
		r.remember(s, e)
	}
	r.incomplete = r.incomplete || e.unread
	return e.text, e.dynamic, len(e.problems) == 0 && !e.unread
}

// marked finds values that YAML reads as something else than they look like.
func (r *run) marked(name string, n *yaml.Node, at Position) bool {
	switch tag := n.ShortTag(); {
	case !slices.Contains([]string{"", "!", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!binary", "!!map", "!!seq", "!!merge"}, tag):
		r.report(Error, at, name+` starts with "!", which YAML reads as a tag`, "quote it")
	case n.Kind == yaml.ScalarNode && n.Anchor != "" && tag == "!!null":
		r.report(Error, at, name+` starts with "&", which YAML reads as an anchor`, "quote it")
	default:
		return false
	}
	return true
}

// tagged checks that a literal was written as a value of its type.
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
			r.report(Error, at, fmt.Sprintf("%s must be %s, not %s", s.Name, article(s.Type), tagName(tag)), suggestion)
			return false
		}
	case Number, Switch:
		if text {
			r.report(Error, at, fmt.Sprintf("%s must be %s%s", s.Name, article(s.Type), r.not(s, n.Value)), unquoted(n))
			return false
		}
	}
	return true
}

func (r *run) list(s *setting, n *yaml.Node) {
	at := r.at[s.Name]
	if n.Kind != yaml.SequenceNode {
		r.report(Error, at, fmt.Sprintf("%s must be a list, not %s", s.Name, kindName(n)), fmt.Sprintf("write %s: [VALUE, …]", s.Name))
		return
	}
	items := make([]string, 0, len(n.Content))
	one := setting{Field: Field{Name: s.Name, Type: Text, OneOf: s.OneOf}, value: reflect.New(reflect.TypeFor[string]()).Elem()}
	for _, c := range n.Content {
		where, c := r.At(c), Resolve(c)
		if r.marked(s.Name, c, where) {
			continue
		}
		if c.Kind != yaml.ScalarNode {
			r.report(Error, where, fmt.Sprintf("%s must be a list of texts; this is %s", s.Name, kindName(c)), "")
			continue
		}
		text, dynamic, ok := r.text(&one, c, where)
		if !ok || !dynamic && !r.tagged(&one, c, where) || !r.sane(&one, text, c, where) {
			continue
		}
		if suggestion, err := one.set(text); err != nil {
			r.report(Error, where, fmt.Sprintf("%s %v%s", s.Name, err, r.not(&one, c.Value)), suggestion)
			continue
		}
		items = append(items, text)
	}
	if s.Required && len(n.Content) == 0 {
		r.report(Error, at, s.Name+" is an empty list", "give it at least one value")
	}
	s.value.Set(reflect.ValueOf(items))
}
