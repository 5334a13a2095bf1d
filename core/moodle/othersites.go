package moodle

import (
	"slices"
	"strings"
)

// siteTables are the names of tables that every Moodle site has.
var siteTables = []string{"config", "config_plugins", "course", "user"}

// OtherSites returns the prefixes of other Moodle sites in one schema that begin with
// this site's prefix (mdl_old_ beside mdl_). Their tables do not belong to this site
// although their names begin with its prefix. The longest prefix comes first.
func OtherSites(tables []string, prefix string) []string {
	there := make(map[string]bool, len(tables))
	for _, name := range tables {
		there[name] = true
	}
	var others []string
	for _, name := range tables {
		other, ok := strings.CutSuffix(name, siteTables[0])
		if !ok || len(other) <= len(prefix) || !strings.HasPrefix(other, prefix) {
			continue
		}
		if !slices.ContainsFunc(siteTables, func(t string) bool { return !there[other+t] }) {
			others = append(others, other)
		}
	}
	slices.SortFunc(others, func(a, b string) int { return len(b) - len(a) })
	return others
}
