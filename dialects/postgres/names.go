package postgres

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/schema"
)

// maxName is how many bytes of a name the server keeps (NAMEDATALEN - 1).
const maxName = 63

// Names gives new objects names that nothing else in the schema has. It is used
// by one goroutine.
type Names struct {
	site  Site
	taken map[string]bool
}

// Names starts with what is in the site's schema now.
func (c *Conn) Names(ctx context.Context) (*Names, error) {
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
	return n, nil
}

// Names starts with nothing taken, for a site that nothing else has the prefix of.
func (s Site) Names() *Names { return &Names{s, map[string]bool{}} }

// Reserve keeps a name for something that is made later.
func (n *Names) Reserve(name string) { n.taken[name] = true }

// pick takes base and suffix, cut and with a counter between as needed, as
// Moodle does it (lib/ddl/sql_generator.php, getNameForObject).
func (n *Names) pick(base, suffix string) string {
	for i := 1; ; i++ {
		end := suffix
		if i > 1 {
			end = strconv.Itoa(i) + suffix
		}
		name := cut(base, maxName-len(end)) + end
		if !n.taken[name] {
			n.taken[name] = true
			return name
		}
	}
}

// cut shortens a string to at most n bytes and never inside a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Index names an index that is called name where it comes from; fromPrefix is
// the prefix there, and dialect its engine. An index from PostgreSQL keeps its name.
func (n *Names) Index(table string, x schema.Index, dialect, fromPrefix string) string {
	if rest, ok := strings.CutPrefix(x.Name, fromPrefix); ok && dialect == Dialect && rest != "" {
		return n.pick(n.site.Prefix+rest, "")
	}
	suffix := "_ix"
	if x.Unique {
		suffix = "_uix"
	}
	var columns []string
	for _, c := range x.Columns {
		columns = append(columns, c.Name)
	}
	return n.pick(n.moodle(table, columns), suffix)
}

// PrimaryKey names the primary key of a table.
func (n *Names) PrimaryKey(table string, columns []string) string {
	return n.pick(n.moodle(table, columns), "_pk")
}

// Sequence names the sequence of a column.
func (n *Names) Sequence(table, column string) string {
	return n.pick(n.site.Prefix+table+"_"+column, "_seq")
}

// moodle is prefix, four letters of each part of the table's name, and three of
// each column's.
func (n *Names) moodle(table string, columns []string) string {
	var b strings.Builder
	b.WriteString(n.site.Prefix)
	for part := range strings.SplitSeq(table, "_") {
		b.WriteString(letters(part, 4))
	}
	b.WriteByte('_')
	for _, c := range columns {
		b.WriteString(letters(c, 3))
	}
	return b.String()
}

func letters(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
