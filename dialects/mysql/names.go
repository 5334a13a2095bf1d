package mysql

import (
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// MaxName is the most characters that a name of a table, column or index has.
const MaxName = 64

// IndexNames returns names for the table's indexes, in their order and unique in
// the table. kept is for a table that comes from this dialect: the names stay, and
// where they begin with the old prefix they get the new one. Otherwise
// they are made as Moodle makes them.
func IndexNames(t *schema.Table, oldPrefix, newPrefix string, kept bool) []string {
	names := make([]string, len(t.Indexes))
	taken := map[string]bool{"primary": true}
	for k, x := range t.Indexes {
		name := x.Name
		if rest, ok := strings.CutPrefix(name, oldPrefix); ok && oldPrefix != "" {
			name = newPrefix + rest
		}
		if !kept || name == "" || len([]rune(name)) > MaxName || taken[strings.ToLower(name)] {
			name = moodleName(t.Name, x, newPrefix, taken)
		}
		taken[strings.ToLower(name)] = true
		names[k] = name
	}
	return names
}

// moodleName is the rule of Moodle's lib/ddl: four letters of each part of the
// table's name, three of each column's, a suffix, and a counter where that is taken.
func moodleName(table string, x schema.Index, prefix string, taken map[string]bool) string {
	var b strings.Builder
	b.WriteString(prefix)
	for part := range strings.SplitSeq(table, "_") {
		b.WriteString(first(part, 4))
	}
	b.WriteByte('_')
	for _, c := range x.Columns {
		b.WriteString(first(c.Name, 3))
	}
	suffix := "_ix"
	if x.Unique {
		suffix = "_uix"
	}
	longest := min(28+len([]rune(prefix)), MaxName) - len(suffix)
	for n := 1; ; n++ {
		counter := ""
		if n > 1 {
			counter = strconv.Itoa(n)
		}
		name := strings.ToLower(first(b.String(), longest-len(counter))) + counter + suffix
		if !taken[strings.ToLower(name)] {
			return name
		}
	}
}

// first returns the first n characters of s.
func first(s string, n int) string {
	r := []rune(s)
	return string(r[:max(0, min(n, len(r)))])
}
