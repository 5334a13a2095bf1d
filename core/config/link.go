package config

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Link sets the references between objects that hold objects of their own type. s must be
// the root of the document.
func (s *Schema) Link() {
	places := map[*Schema]string{}
	s.visit("#", func(place string, part *Schema) {
		if _, there := places[part]; !there {
			places[part] = place
		}
	})
	s.visit("#", func(_ string, part *Schema) {
		if part.same != nil {
			part.Ref = places[part.same]
		}
	})
}

// visit calls fn for every part of a schema with its JSON pointer.
func (s *Schema) visit(place string, fn func(place string, part *Schema)) {
	if s == nil {
		return
	}
	fn(place, s)
	for name, parts := range map[string]map[string]*Schema{"properties": s.Properties, "$defs": s.Defs} {
		for _, key := range slices.Sorted(maps.Keys(parts)) {
			parts[key].visit(place+"/"+name+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(key), fn)
		}
	}
	for name, parts := range map[string][]*Schema{"anyOf": s.AnyOf, "oneOf": s.OneOf, "allOf": s.AllOf} {
		for i, part := range parts {
			part.visit(place+"/"+name+"/"+strconv.Itoa(i), fn)
		}
	}
	s.Items.visit(place+"/items", fn)
	s.If.visit(place+"/if", fn)
	s.Then.visit(place+"/then", fn)
	if others, ok := s.Others.(*Schema); ok {
		others.visit(place+"/additionalProperties", fn)
	}
}
