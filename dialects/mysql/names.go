package mysql

import (
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/schema"
)

// MaxName is the most characters that a name of a table, column or index has.
const MaxName = 64

// IndexNames returns names for the table's indexes, in their order and unique in
// the table. kept is for a table that comes from this dialect: the names stay, and
// where they begin with the old prefix they get the new one. Otherwise
// they are made as Moodle makes them.
func IndexNames(t *schema.Table, oldPrefix, newPrefix string, kept bool) []string {
	taken := map[string]bool{"primary": true}
	take := func(name string) bool {
		folded := strings.ToLower(name)
		free := !taken[folded] && utf8.RuneCountInString(name) <= MaxName
		taken[folded] = taken[folded] || free
		return free
	}
	if !kept {
		return moodle.IndexNames(t, oldPrefix, newPrefix, take)
	}
	names := make([]string, len(t.Indexes))
	for k, x := range t.Indexes {
		names[k] = x.Name
		if rest, ok := strings.CutPrefix(x.Name, oldPrefix); ok && oldPrefix != "" {
			names[k] = newPrefix + rest
		}
		for n := 1; names[k] == "" || !take(names[k]); n++ {
			names[k] = moodle.IndexName(newPrefix, t.Name, x, n)
		}
	}
	return names
}
