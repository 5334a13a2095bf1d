package moodle

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/schema"
)

// MaxIndexName is the maximum number of bytes in an index name that Moodle generates,
// including the site's prefix (lib/ddl/sql_generator.php, $names_max_length).
const MaxIndexName = 30

// patternSuffix is the suffix of an index with the hint varchar_pattern_ops.
const patternSuffix = "_pattern"

// IndexNames names the indexes of a table from another engine as Moodle would: the
// prefix, four letters of each part of the table name, three of each column name, and
// a counter if the name is taken. It keeps the counter of the existing name if that
// is free.
//
// The names begin with from now and with to afterwards. take reserves a name and
// reports whether it was free.
func IndexNames(t *schema.Table, from, to string, take func(name string) bool) []string {
	names := make([]string, len(t.Indexes))
	// Names that Moodle generated come first; the others get what is free.
	for i, x := range t.Indexes {
		if name, ok := engineName(t, x, to); ok && take(name) {
			names[i] = name
		} else if n, ok := counter(t.Name, x, from); ok && !x.EngineOwn() {
			if name := IndexName(to, t.Name, x, n); take(name) {
				names[i] = name
			}
		}
	}
	for i, x := range t.Indexes {
		if names[i] != "" {
			continue
		}
		if beside := besidePattern(t, x); beside >= 0 && names[beside] != "" && take(names[beside]+patternSuffix) {
			names[i] = names[beside] + patternSuffix
			continue
		}
		names[i] = freeName(to, t.Name, x, take)
	}
	return names
}

// IndexName returns the n-th name that Moodle tries for an index.
func IndexName(prefix, table string, x schema.Index, n int) string {
	columns := make([]string, len(x.Columns))
	for i, c := range x.Columns {
		columns[i] = c.Name
	}
	suffix := "_ix"
	if x.Unique {
		suffix = "_uix"
	}
	return objectName(prefix, table, columns, suffix, n)
}

// KeyName returns the n-th name that Moodle tries for a primary key.
func KeyName(prefix, table string, columns []string, n int) string {
	return objectName(prefix, table, columns, "_pk", n)
}

func objectName(prefix, table string, columns []string, suffix string, n int) string {
	var b strings.Builder
	b.WriteString(prefix)
	for part := range strings.SplitSeq(table, "_") {
		b.WriteString(letters(part, 4))
	}
	b.WriteByte('_')
	for _, c := range columns {
		b.WriteString(letters(c, 3))
	}
	count := ""
	if n > 1 {
		count = strconv.Itoa(n)
	}
	return cut(b.String(), MaxIndexName-len(suffix)-len(count)) + count + suffix
}

func freeName(prefix, table string, x schema.Index, take func(string) bool) string {
	for n := 1; ; n++ {
		if name := IndexName(prefix, table, x, n); take(name) {
			return name
		}
	}
}

// counter returns which of the names that Moodle tries the index has.
func counter(table string, x schema.Index, prefix string) (n int, ok bool) {
	const most = 99
	for n = 1; n <= most; n++ {
		if IndexName(prefix, table, x, n) == x.Name {
			return n, true
		}
	}
	return 0, false
}

// engineName returns the name of an index that Moodle creates on the table's engine
// only, if it does not follow from an ordinary index.
func engineName(t *schema.Table, x schema.Index, prefix string) (string, bool) {
	for _, e := range engineIndexes {
		if !e.of(t) || e.beside != nil {
			continue
		}
		for _, own := range e.indexes[t.Dialect] {
			if own.SameAs(x) {
				return prefix + own.Name, true
			}
		}
	}
	return "", false
}

// besidePattern returns the position of the ordinary index that duplicates an index
// for LIKE, or -1.
func besidePattern(t *schema.Table, x schema.Index) int {
	if !ForLike(x) {
		return -1
	}
	like := schema.Index{}
	for _, c := range x.Columns {
		like.Columns = append(like.Columns, schema.IndexColumn{Name: c.Name, Desc: c.Desc})
	}
	return slices.IndexFunc(t.Indexes, like.SameAs)
}

// Doubled reports whether an index for LIKE, as XMLDB creates them on PostgreSQL, has
// an ordinary index on the same columns. Other engines need only the ordinary one.
func Doubled(t *schema.Table, x schema.Index) bool { return besidePattern(t, x) >= 0 }

// ForLike reports whether an index serves LIKE on PostgreSQL (varchar_pattern_ops).
func ForLike(x schema.Index) bool {
	return !x.Unique && x.Method == "" && x.Native == "" && len(x.Columns) > 0 &&
		!slices.ContainsFunc(x.Columns, func(c schema.IndexColumn) bool { return !strings.HasSuffix(c.Operators, "_pattern_ops") })
}

// cut shortens s to at most n bytes, never inside a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// letters returns the first n characters of s.
func letters(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
