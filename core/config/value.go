package config

import (
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// value decodes the value of one key.
func (r *run) value(s *setting, n *yaml.Node) {
	at := r.at[s.Name]
	switch {
	case s.Type == Anything:
		s.value.Set(reflect.ValueOf(*n))
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
	if !ok {
		return
	}
	if !dynamic && !r.tagged(s, n, at) {
		return
	}
	if suggestion, err := s.set(text); err != nil {
		r.report(Error, at, fmt.Sprintf("%s %v, not %s", s.Name, err, r.shown(s, n)), suggestion)
		return
	}
	if s.Required && text == "" {
		r.report(Error, at, s.Name+" is empty", "give it a value")
	}
	if s.Type == Hidden && !dynamic && text != "" {
		r.report(Warning, at, s.Name+" is a secret and stands in the file", "write ${env:NAME} or ${file:/path} in its place")
	}
}

// text resolves the references of a scalar; ok is false if that failed.
func (r *run) text(s *setting, n *yaml.Node, at Position) (text string, dynamic, ok bool) {
	e := r.Values.expand(n.Value, func(name string) {
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
	if e.dynamic {
		r.hidden = append(r.hidden, e.text)
	}
	r.incomplete = r.incomplete || e.unread
	return e.text, e.dynamic, len(e.problems) == 0 && !e.unread
}

// tagged checks that a literal was written as a value of its type.
func (r *run) tagged(s *setting, n *yaml.Node, at Position) bool {
	tag := n.ShortTag()
	text := tag == "!!str" || tag == "!!timestamp" || tag == "!!binary"
	switch s.Type {
	case Text, Hidden, Span:
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
			r.report(Error, at, fmt.Sprintf("%s must be %s, not %s", s.Name, article(s.Type), r.shown(s, n)), unquoted(n))
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
		if c.Kind != yaml.ScalarNode {
			r.report(Error, where, fmt.Sprintf("%s must be a list of texts; this is %s", s.Name, kindName(c)), "")
			continue
		}
		text, dynamic, ok := r.text(&one, c, where)
		if !ok || !dynamic && !r.tagged(&one, c, where) {
			continue
		}
		if suggestion, err := one.set(text); err != nil {
			r.report(Error, where, fmt.Sprintf("%s %v, not %s", s.Name, err, r.shown(&one, c)), suggestion)
			continue
		}
		items = append(items, text)
	}
	if s.Required && len(n.Content) == 0 {
		r.report(Error, at, s.Name+" is an empty list", "give it at least one value")
	}
	s.value.Set(reflect.ValueOf(items))
}
