package mysql

import (
	"slices"
	"strings"
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

// siteTables are names that every Moodle site has.
var siteTables = []string{"config", "config_plugins", "course", "user"}

// otherSites finds, among tables of one database, the prefixes of other sites
// that begin with this site's prefix (mdl_old_ beside mdl_): their tables
// are not this site's, although their names begin with its prefix.
func otherSites(names []string, prefix string) []string {
	there := make(map[string]bool, len(names))
	for _, name := range names {
		there[name] = true
	}
	isSite := func(prefix string) bool {
		return !slices.ContainsFunc(siteTables, func(t string) bool { return !there[prefix+t] })
	}
	if !isSite(prefix) {
		return nil
	}
	var others []string
	for _, name := range names {
		other, ok := strings.CutSuffix(name, siteTables[0])
		if ok && len(other) > len(prefix) && strings.HasPrefix(other, prefix) && isSite(other) {
			others = append(others, other)
		}
	}
	return others
}
