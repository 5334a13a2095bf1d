package moodle

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
)

// Sites returns the sorted prefixes of the Moodle sites in one schema, given the
// names of its tables.
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

// CheckPrefix detects a wrong prefix: one whose tables are not a Moodle site. It
// returns an error of class failure.Refused if no table has the prefix, or if the
// prefix is the beginning of a site's prefix (mdl instead of mdl_), because Vault
// would then not recognise Moodle's tables. If the prefix is complete and has tables
// of its own (mdl_ beside the site mdl_old_), it returns a note.
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
	return "the tables with this prefix are not a Moodle site, but there is one with prefix " + meant, nil
}
