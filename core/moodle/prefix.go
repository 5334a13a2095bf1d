package moodle

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
)

// Sites returns the prefixes under which the tables of one schema hold a Moodle
// site, sorted.
func Sites(tables []string) []string {
	there := make(map[string]bool, len(tables))
	for _, name := range tables {
		there[name] = true
	}
	var prefixes []string
	for name := range there {
		prefix, ok := strings.CutSuffix(name, siteTables[0])
		if ok && !slices.ContainsFunc(siteTables, func(t string) bool { return !there[prefix+t] }) {
			prefixes = append(prefixes, prefix)
		}
	}
	slices.Sort(prefixes)
	return prefixes
}

// CheckPrefix looks whether another prefix was meant, where the tables under a
// prefix are no Moodle site. It is an error of class failure.Refused if no table
// has the prefix, or if it is the beginning of a site's (mdl of mdl_): all that
// makes Vault know Moodle's tables would be off. A whole prefix with tables of its
// own (mdl_ beside the site mdl_old_) is a note.
func CheckPrefix(tables []string, prefix string) (note string, err error) {
	sites := Sites(tables)
	if len(sites) == 0 || slices.Contains(sites, prefix) {
		return "", nil
	}
	begins := func(names []string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, prefix) })
	}
	meant := strings.Join(sites[:min(3, len(sites))], ", ")
	own := strings.HasSuffix(prefix, "_") && slices.ContainsFunc(tables, func(name string) bool {
		return strings.HasPrefix(name, prefix) && !slices.ContainsFunc(sites, func(site string) bool { return strings.HasPrefix(name, site) })
	})
	if begins(sites) && !own || !begins(tables) {
		return "", failure.New(failure.Refused, "the tables with prefix %q are not a Moodle site; did you mean prefix: %s", prefix, meant)
	}
	return "the tables with this prefix are not a Moodle site; there is one with prefix " + meant, nil
}
