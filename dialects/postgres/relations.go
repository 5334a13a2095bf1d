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

// Relation is something with rows or values in the site's schema.
type Relation struct {
	OID  uint32
	Name string // without the prefix
	Kind byte   // pg_class.relkind: r table, p partitioned table, v view, m materialized view, f foreign table, S sequence
	// Denied: the user may not read it; Foreign: another user owns it.
	Denied, Foreign bool
}

// Listing is what of a schema belongs to a site, by name.
type Listing struct {
	Tables []Relation // kinds r and p, without partitions of one that is listed
	Others []Relation // kinds v, m, f and S: sequences that no column of any table owns or uses
	Notes  []stage.Note
	Names  []string // of all tables of the schema, whole
	// Unfinished: a restore into the site was not brought to its end.
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

// List finds what of the schema belongs to the site. Names are compared byte by
// byte; tables of a second site whose prefix begins with this one's, of
// extensions and partitions are left out, which the notes say.
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
			l.Notes = append(l.Notes, stage.Note{Path: stage.DB + "/" + name, Text: "a partition: its rows are read with " + root.Name})
		default:
			l.Tables = append(l.Tables, Relation{r.OID, name, r.Kind[0], r.Denied, r.Foreign})
		}
	}
	return l, nil
}

// withoutScratch leaves out what restores make beside sites, unless that is what is listed.
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
		l.Notes = append(l.Notes, stage.Note{Path: stage.DB, Text: fmt.Sprintf("%d tables of schema %s belong to a restore that is running or was interrupted, and are left out; the next restore of that site removes them", tables, site.Schema)})
	}
	return found
}

// own returns what belongs to the site, and notes what of the tables doesn't.
func (l *Listing) own(site Site, found []relation) (mine []relation) {
	var tables []string
	for _, r := range found {
		if r.Kind == "r" || r.Kind == "p" {
			tables = append(tables, r.Name)
		}
	}
	l.Names = tables
	var others []string
	if !IsScratch(site.Prefix) { // there it is all one restore's, or several
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
		note("%d tables of schema %s do not begin with prefix %q and are left out: %s", len(foreign), site.Schema, site.Prefix, Abridged(foreign))
	}
	if extension > 0 {
		note("%d tables of schema %s belong to extensions of the server and are left out", extension, site.Schema)
	}
	for i, p := range others {
		note("%d tables with prefix %q belong to another site in schema %s and are left out", counts[i], p, site.Schema)
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

// oidArray writes the tables' object ids as an array literal.
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
