package mysql

import (
	"strings"

	"github.com/lmsvault/vault/core/moodle"
)

// cut returns the name of a table without the prefix, and reports whether the table
// belongs to the site with that prefix. "_" is not a wildcard.
func (s *Server) cut(name, prefix string) (string, bool) {
	if len(name) <= len(prefix) {
		return "", false
	}
	if s.FoldCase {
		return name[len(prefix):], strings.EqualFold(name[:len(prefix)], prefix)
	}
	return strings.CutPrefix(name, prefix)
}

// otherSites returns the prefixes of other sites among table names, compared as the
// server does.
func (s *Server) otherSites(names []string, prefix string) []string {
	folded := make([]string, len(names))
	for k, name := range names {
		folded[k] = s.fold(name)
	}
	return moodle.OtherSites(folded, s.fold(prefix))
}

// CheckPrefix detects a wrong prefix; see moodle.CheckPrefix.
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

// fold returns a name as the server compares it.
func (s *Server) fold(name string) string {
	if s.FoldCase {
		return strings.ToLower(name)
	}
	return name
}
