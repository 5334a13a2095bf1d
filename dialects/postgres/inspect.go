package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Table is a table of the site as described in the catalog.
type Table struct {
	schema.Table
	Partitioned bool
	Rows, Bytes int64 // estimates
}

// Catalog describes the tables of a site.
type Catalog struct {
	Tables []*Table // in the order of the listing
	Losses []stage.Loss
	Notes  []stage.Note
}

// Inspect reads the structure of the tables of a listing, in a few statements for all
// tables together. It refuses tables whose rows the user may not see.
func (c *Conn) Inspect(ctx context.Context, l *Listing) (*Catalog, error) {
	r := &reading{Conn: c, listing: l, oids: oidArray(l.Tables), byOID: map[uint32]*Table{}}
	for _, rel := range l.Tables {
		t := &Table{Table: schema.Table{Name: rel.Name, Dialect: Dialect}, Partitioned: rel.Kind == 'p'}
		r.byOID[rel.OID] = t
		r.Catalog.Tables = append(r.Catalog.Tables, t)
	}
	for _, step := range []func(context.Context) error{r.tables, r.columns, r.indexes, r.sequences, r.attachments, r.routines} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	r.others()
	return &r.Catalog, nil
}

// reading is the state of one Inspect.
type reading struct {
	*Conn
	Catalog
	listing    *Listing
	oids       string
	byOID      map[uint32]*Table
	generators []generator
}

func (r *reading) lose(kind stage.LossKind, table, where, reason string) {
	r.Losses = append(r.Losses, stage.Loss{Kind: kind, Path: stage.DB + "/" + table, Where: where, Reason: reason, Count: 1})
}

func (r *reading) note(table, format string, args ...any) {
	r.Notes = append(r.Notes, stage.Note{Path: stage.DB + "/" + table, Text: fmt.Sprintf(format, args...)})
}

type tableRow struct {
	OID      uint32
	Unlogged bool
	Rows     float64
	Bytes    int64
	Hidden   bool // row-level security applies to this user
	Policies bool // row-level security applies to other users
	Comment  string
	Options  []string
	Inherits string
}

// A partitioned table has the size of its partitions. A table that was never analysed
// has reltuples -1, or 0 before PostgreSQL 14.
func (r *reading) tables(ctx context.Context) error {
	found, err := query[tableRow](ctx, r.Conn, `
		SELECT c.oid, c.relpersistence = 'u',
			CASE WHEN c.relkind = 'p' THEN (SELECT coalesce(sum(greatest(l.reltuples, 0)), 0) FROM pg_partition_tree(c.oid) p JOIN pg_class l ON l.oid = p.relid WHERE p.isleaf)
				ELSE c.reltuples END,
			CASE WHEN c.relkind = 'p' THEN (SELECT coalesce(sum(pg_table_size(p.relid)), 0)::int8 FROM pg_partition_tree(c.oid) p WHERE p.isleaf)
				ELSE coalesce(pg_table_size(c.oid), 0) END,
			row_security_active(c.oid), c.relrowsecurity,
			coalesce(obj_description(c.oid, 'pg_class'), ''), c.reloptions,
			coalesce((SELECT string_agg(i.inhparent::regclass::text, ', ') FROM pg_inherits i WHERE i.inhrelid = c.oid AND NOT c.relispartition), '')
		FROM pg_class c WHERE c.oid = ANY ($1::oid[])`, r.oids)
	if err != nil {
		return r.Explain(err, "reading the tables")
	}
	var hidden []string
	for _, f := range found {
		t := r.byOID[f.OID]
		t.Bytes = f.Bytes
		t.Rows = int64(f.Rows)
		if t.Rows <= 0 {
			t.Rows = f.Bytes / 100 // a guess, used only for estimates
		}
		t.Comment = f.Comment
		if t.Options = options(f.Options); refuseOptions(t.Options) != nil {
			r.note(t.Name, "its storage parameters are not transferred: %.200s", t.Options)
			t.Options = ""
		}
		if f.Hidden {
			hidden = append(hidden, r.Site.Table(t.Name))
		}
		if f.Policies && !f.Hidden {
			r.lose(stage.LossConstraint, t.Name, "", "row-level security and its policies are not transferred")
		}
		if f.Inherits != "" {
			r.lose(stage.LossConstraint, t.Name, "", "inheritance from "+f.Inherits+" is not transferred; the rows of this table are")
		}
		if t.Partitioned {
			r.note(t.Name, "a partitioned table becomes an ordinary table with all rows")
		}
		if f.Unlogged {
			r.note(t.Name, "an unlogged table becomes an ordinary table")
		}
	}
	if hidden != nil {
		slices.Sort(hidden)
		return failure.New(failure.Refused, "%s: row-level security may hide rows of %d tables from this user: %s; use a user with BYPASSRLS, or exclude them",
			r.Address, len(hidden), Abridged(hidden))
	}
	return nil
}

// options writes storage parameters as a clause of CREATE TABLE.
func options(of []string) string {
	if len(of) == 0 {
		return ""
	}
	parts := make([]string, len(of))
	for i, option := range of {
		name, value, _ := strings.Cut(option, "=")
		parts[i] = name + "=" + Literal(value)
	}
	return "WITH (" + strings.Join(parts, ", ") + ")"
}
