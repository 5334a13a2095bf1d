package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
)

// Relation is a relation in the site's schema.
type Relation struct {
	OID  uint32
	Name string // without the prefix
	Kind byte   // pg_class.relkind: r table, p partitioned table, v view, m materialized view, f foreign table, S sequence
	// Denied is set if the user may not read it, Foreign if another user owns it.
	Denied, Foreign bool
}

// Listing is what a schema holds of a site, sorted by name.
type Listing struct {
	Tables []Relation // kinds r and p, without partitions of listed tables
	Others []Relation // kinds v, m, f and S; sequences only if no column owns or uses them
	Notes  []stage.Note
	Names  []string // full names of all tables of the schema
	// Unfinished is set if a restore into the site did not finish.
	Unfinished bool
}

type relation struct {
	OID       uint32
	Name      string
	Kind      string
	Parent    uint32 // of a partition, else 0
	Extension bool   // belongs to an extension
	Denied    bool
	Foreign   bool
	Serves    bool // a sequence that a column owns or uses
}

// List finds what belongs to the site in the schema. It compares names byte by byte.
// It skips partitions and tables of extensions and of a second site whose prefix
// begins with this one's, and says so in the notes.
func (c *Conn) List(ctx context.Context) (*Listing, error) {
	found, err := query[relation](ctx, c, `
		SELECT c.oid, c.relname::text, c.relkind::text,
			CASE WHEN c.relispartition THEN (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = c.oid) ELSE 0 END,
			EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'),
			NOT has_table_privilege(c.oid, 'SELECT'), NOT pg_has_role(c.relowner, 'USAGE'),
			c.relkind = 'S' AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
				UNION ALL SELECT FROM pg_depend d WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)
		FROM pg_class c
		WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
		ORDER BY c.relname COLLATE "C"`, c.Site.Schema)
	if err != nil {
		return nil, c.Explain(err, "listing the tables of schema %s", c.Site.Schema)
	}
	l := &Listing{}
	found = l.withoutScratch(c.Site, found)
	mine := l.own(c.Site, found)
	parents := make(map[uint32]relation, len(mine))
	for _, r := range found {
		parents[r.OID] = r
	}
	listed := map[uint32]bool{}
	for _, r := range mine {
		listed[r.OID] = true
	}
	for _, r := range mine {
		name := strings.TrimPrefix(r.Name, c.Site.Prefix)
		root := r
		for root.Parent != 0 && listed[root.Parent] {
			root = parents[root.Parent]
		}
		switch {
		case name == Marker:
			l.Unfinished = true
		case r.Kind != "r" && r.Kind != "p":
			if root.OID == r.OID && !r.Serves {
				l.Others = append(l.Others, Relation{r.OID, name, r.Kind[0], r.Denied, r.Foreign})
			}
		case root.OID != r.OID:
			l.Notes = append(l.Notes, stage.Note{Path: stage.DB + "/" + name, Text: "a partition; its rows are read with " + root.Name})
		default:
			l.Tables = append(l.Tables, Relation{r.OID, name, r.Kind[0], r.Denied, r.Foreign})
		}
	}
	return l, nil
}

// withoutScratch removes temporary objects of restores, unless they are what is
// listed.
func (l *Listing) withoutScratch(site Site, found []relation) []relation {
	if IsScratch(site.Prefix) {
		return found
	}
	tables := 0
	found = slices.DeleteFunc(found, func(r relation) bool {
		if !IsScratch(r.Name) {
			return false
		}
		if r.Kind == "r" || r.Kind == "p" {
			tables++
		}
		return true
	})
	if tables > 0 {
		l.Notes = append(l.Notes, stage.Note{Path: stage.DB, Text: fmt.Sprintf("skipped %d tables of schema %s that belong to a running or interrupted restore; the next restore of that site removes them", tables, site.Schema)})
	}
	return found
}

// own returns what belongs to the site, and notes which tables do not.
func (l *Listing) own(site Site, found []relation) (mine []relation) {
	var tables []string
	for _, r := range found {
		if r.Kind == "r" || r.Kind == "p" {
			tables = append(tables, r.Name)
		}
	}
	l.Names = tables
	var others []string
	if !IsScratch(site.Prefix) { // there everything belongs to restores
		others = moodle.OtherSites(tables, site.Prefix)
	}
	counts := make([]int, len(others))
	var foreign []string
	extension := 0
	for _, r := range found {
		table := r.Kind == "r" || r.Kind == "p"
		other := slices.IndexFunc(others, func(p string) bool { return strings.HasPrefix(r.Name, p) })
		switch {
		case r.Extension:
			if table {
				extension++
			}
		case !strings.HasPrefix(r.Name, site.Prefix) || len(r.Name) == len(site.Prefix):
			if table {
				foreign = append(foreign, r.Name)
			}
		case other >= 0:
			if table {
				counts[other]++
			}
		default:
			mine = append(mine, r)
		}
	}
	note := func(format string, args ...any) {
		l.Notes = append(l.Notes, stage.Note{Path: stage.DB, Text: fmt.Sprintf(format, args...)})
	}
	if foreign != nil {
		note("skipped %d tables of schema %s that do not begin with prefix %q: %s", len(foreign), site.Schema, site.Prefix, Abridged(foreign))
	}
	if extension > 0 {
		note("skipped %d tables of schema %s that belong to extensions of the server", extension, site.Schema)
	}
	for i, p := range others {
		note("skipped %d tables with prefix %q that belong to another site in schema %s", counts[i], p, site.Schema)
	}
	return mine
}

// query collects rows into structs by position.
func query[T any](ctx context.Context, c *Conn, sql string, args ...any) ([]T, error) {
	rows, err := c.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

// oidArray writes the tables' object IDs as an array literal.
func oidArray(tables []Relation) string {
	var b strings.Builder
	for i, t := range tables {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, t.OID)
	}
	return "{" + b.String() + "}"
}

// UnusedEnums lists the enumeration types with the site's prefix that no table uses.
func (c *Conn) UnusedEnums(ctx context.Context) ([]string, error) {
	found, err := query[struct{ Name string }](ctx, c, `
		SELECT t.typname::text FROM pg_type t
		WHERE t.typtype = 'e' AND starts_with(t.typname::text, $2)
			AND t.typnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
			AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.atttypid IN (t.oid, t.typarray) AND NOT a.attisdropped)`,
		c.Site.Schema, c.Site.Prefix)
	if err != nil {
		return nil, c.Explain(err, "listing enumeration types")
	}
	names := make([]string, len(found))
	for i, f := range found {
		names[i] = f.Name
	}
	return names, nil
}
