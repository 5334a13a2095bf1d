package mysql

import (
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/schema"
)

// MaxName is the maximum length of table, column and index names, in characters.
const MaxName = 64

// IndexNames returns names for the table's indexes, in order and unique in the table.
// kept is set for a table of this dialect: names stay, and the old prefix at their
// beginning is replaced by the new one. Otherwise names are generated as Moodle does.
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
