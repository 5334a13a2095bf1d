package postgres

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/schema"
)

// maxName is the maximum length of a name in bytes (NAMEDATALEN - 1).
const maxName = 63

// Names chooses unused names for new objects of a schema. It is used by one
// goroutine.
type Names struct {
	site  Site
	taken map[string]bool
}

// Names returns a Names that knows the objects in the site's schema, except those in
// without, which are going to be dropped.
func (c *Conn) Names(ctx context.Context, without ...string) (*Names, error) {
	found, err := query[struct{ Name string }](ctx, c, `
		SELECT relname::text FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
		UNION SELECT typname::text FROM pg_type WHERE typnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)`, c.Site.Schema)
	if err != nil {
		return nil, c.Explain(err, "listing the names in schema %s", c.Site.Schema)
	}
	n := &Names{c.Site, map[string]bool{}}
	for _, f := range found {
		n.taken[f.Name] = true
	}
	for _, name := range without {
		delete(n.taken, name)
	}
	return n, nil
}

// Names returns an empty Names, for a site whose prefix nothing else has.
func (s Site) Names() *Names { return &Names{s, map[string]bool{}} }

// Reserve reserves a name for an object that is created later.
func (n *Names) Reserve(name string) { n.taken[name] = true }

// Taken reports whether a name is in use.
func (n *Names) Taken(name string) bool { return n.taken[name] }

// take reserves a name if it is unused and not too long.
func (n *Names) take(name string) bool {
	if n.taken[name] || len(name) > maxName {
		return false
	}
	n.taken[name] = true
	return true
}

// pick reserves base and suffix, shortened and with a counter in between as needed.
func (n *Names) pick(base, suffix string) string {
	for i := 1; ; i++ {
		end := suffix
		if i > 1 {
			end = strconv.Itoa(i) + suffix
		}
		if name := cut(base, maxName-len(end)) + end; n.take(name) {
			return name
		}
	}
}

// cut shortens a string to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Indexes names the indexes of a table, in order. fromPrefix is the prefix and
// dialect the engine of the source. Names from PostgreSQL are kept, with the new
// prefix instead of fromPrefix; others are generated as Moodle does.
func (n *Names) Indexes(t *schema.Table, dialect, fromPrefix string) []string {
	if dialect != Dialect {
		return moodle.IndexNames(t, fromPrefix, n.site.Prefix, n.take)
	}
	names := make([]string, len(t.Indexes))
	for i, x := range t.Indexes {
		names[i] = n.pick(n.moved(x.Name, fromPrefix), "")
	}
	return names
}

// moved replaces the source's prefix of a name by this site's.
func (n *Names) moved(name, fromPrefix string) string {
	if rest, ok := strings.CutPrefix(name, fromPrefix); ok && rest != "" {
		return n.site.Prefix + rest
	}
	return name
}

// PrimaryKey names the primary key of a table: as in the source if that is
// PostgreSQL, or else as Moodle would.
func (n *Names) PrimaryKey(t *schema.Table, fromPrefix string) string {
	if t.PrimaryKeyName != "" {
		return n.pick(n.moved(t.PrimaryKeyName, fromPrefix), "")
	}
	for i := 1; ; i++ {
		if name := moodle.KeyName(n.site.Prefix, t.Name, t.PrimaryKey, i); n.take(name) {
			return name
		}
	}
}

// Sequence names the sequence of a column.
func (n *Names) Sequence(table, column string) string {
	return n.pick(n.site.Prefix+table+"_"+column, "_seq")
}
