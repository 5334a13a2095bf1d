package mysql

import (
	"strings"

	"github.com/lmsvault/vault/core/moodle"
)

// cut tells whether a table belongs to the site with that prefix, and gives its
// name without it. Names are compared as they are: "_" is no wildcard.
func (s *Server) cut(name, prefix string) (string, bool) {
	if len(name) <= len(prefix) {
		return "", false
	}
	if s.FoldCase {
		return name[len(prefix):], strings.EqualFold(name[:len(prefix)], prefix)
	}
	return strings.CutPrefix(name, prefix)
}

// otherSites finds the prefixes of other sites among names of tables, as mine compares them.
func (s *Server) otherSites(names []string, prefix string) []string {
	folded := make([]string, len(names))
	for k, name := range names {
		folded[k] = s.fold(name)
	}
	return moodle.OtherSites(folded, s.fold(prefix))
}

// CheckPrefix looks whether another prefix was meant, see moodle.CheckPrefix.
func (s *Server) CheckPrefix(st *Structure, prefix string) (note string, err error) {
	names := make([]string, 0, len(st.Tables)+len(st.Others))
	for k := range st.Tables {
		names = append(names, s.fold(prefix+st.Tables[k].Name))
	}
	for _, name := range st.Others {
		names = append(names, s.fold(name))
	}
	return moodle.CheckPrefix(names, s.fold(prefix))
}

// fold gives a name as the server compares it.
func (s *Server) fold(name string) string {
	if s.FoldCase {
		return strings.ToLower(name)
	}
	return name
}
