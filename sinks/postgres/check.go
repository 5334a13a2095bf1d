package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// Check returns an error with all reasons why the plan cannot be restored here.
func (s *Sink) Check(ctx context.Context, p *stage.Plan) (stage.Findings, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return stage.Findings{}, err
	}
	c := &check{conn: conn, plan: p, replacing: s.config.Replacing, types: map[string]string{}, collations: map[string]bool{}}
	if err := c.location(ctx, p); err != nil {
		return stage.Findings{}, err
	}
	for _, step := range []func(context.Context) error{c.server, c.preserve, c.empty, c.locks} {
		if err := step(ctx); err != nil {
			return stage.Findings{}, err
		}
	}
	for _, info := range p.Tables {
		if err := c.table(ctx, info.Schema); err != nil {
			return stage.Findings{}, err
		}
	}
	if c.reasons != nil {
		return stage.Findings{}, failure.New(failure.Refused, "%s: %w", conn.Address, errors.Join(c.reasons...))
	}
	return stage.Findings{Losses: c.losses, Notes: c.notes}, nil
}

// check is the state of one Check.
type check struct {
	conn       *postgres.Conn
	plan       *stage.Plan
	replacing  moodle.Replacing
	reasons    []error
	losses     []stage.Loss
	notes      []stage.Note
	types      map[string]string // why the server cannot hold a native type; "" if it can
	collations map[string]bool   // whether the server has a collation
}

func (c *check) refuse(format string, args ...any) {
	c.reasons = append(c.reasons, fmt.Errorf(format, args...))
}

// location refuses to write to a schema that the run reads. A snapshot may replace
// the site it was made from.
func (c *check) location(ctx context.Context, p *stage.Plan) error {
	location, err := c.conn.Location(ctx)
	if err != nil || !slices.Contains(p.Locations, location) || !postgres.Overlap(c.conn.Site.Prefix, p.Facts["prefix"]) {
		return err
	}
	return failure.New(failure.Refused, "%s: source and target are the same database and schema, with prefixes %q and %q, so the restore would drop what it reads; use another database, schema or prefix",
		c.conn.Address, p.Facts["prefix"], c.conn.Site.Prefix)
}

// server checks conditions that concern all tables.
func (c *check) server(ctx context.Context) error {
	var encoding string
	var readOnly, create bool
	err := c.conn.QueryRow(ctx, `SELECT current_setting('server_encoding'), current_setting('transaction_read_only') = 'on', has_schema_privilege($1, 'CREATE')`,
		c.conn.Site.Schema).Scan(&encoding, &readOnly, &create)
	if err != nil {
		return c.conn.Explain(err, "checking encoding and privileges")
	}
	if encoding != "UTF8" {
		c.refuse("the database has encoding %s, but Moodle needs UTF8; CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0", encoding)
	}
	if readOnly {
		c.refuse("the server is read-only (a replica, or default_transaction_read_only); use the primary")
	}
	if !create {
		c.refuse("the user may not create tables in schema %s; GRANT CREATE ON SCHEMA %s to it", c.conn.Site.Schema, postgres.Ident(c.conn.Site.Schema))
	}
	return nil
}

// empty checks for an existing site.
func (c *check) empty(ctx context.Context) error {
	l, err := listReplaced(ctx, c.conn, c.plan.Preserve)
	if err != nil {
		return err
	}
	site, replace := c.conn.Site, c.plan.Replace != stage.ReplaceNothing
	var there, foreign []string
	var dropped []postgres.Relation
	for _, r := range slices.Concat(l.Tables, l.Others) {
		if r.Kind == 'S' {
			continue // new sequences get unused names
		}
		there, dropped = append(there, site.Table(r.Name)), append(dropped, r)
		if r.Foreign {
			foreign = append(foreign, site.Table(r.Name))
		}
	}
	switch {
	case replace && foreign != nil:
		c.refuse("replace: other users own %s; connect as their owner", postgres.Abridged(foreign))
	case !replace && l.Unfinished:
		c.refuse("table %s marks an earlier restore as unfinished or not proven; set replace: true to restore over it", site.Table(postgres.Marker))
	case !replace && there != nil:
		c.refuse("schema %s is not empty: %d tables and views begin with prefix %q (%s); set replace: true to replace them, or choose another schema or prefix",
			site.Schema, len(there), site.Prefix, postgres.Abridged(there))
	}
	if replace && there != nil {
		dependents, err := c.conn.Dependents(ctx, dropped)
		if err != nil {
			return err
		}
		if len(dependents) > 0 {
			c.reasons = append(c.reasons, needed(dependents))
		}
	}
	if replace && there != nil && foreign == nil {
		there, err := c.conn.MoodleSite(ctx, l)
		if err != nil {
			return err
		}
		if err := c.replacing.Check(there, c.plan.Facts); err != nil {
			c.reasons = append(c.reasons, err)
		}
	}
	if replace && there != nil {
		fate := "replaced"
		if c.plan.Replace == stage.ReplaceInPlace {
			fate = "dropped before the new ones are loaded"
		}
		c.notes = append(c.notes, stage.Note{Path: stage.DB, Text: fmt.Sprintf("%d tables and views with prefix %q in schema %s will be %s", len(there), site.Prefix, site.Schema, fate)})
	}
	return nil
}

// systemColumns lists the columns that every table has (PostgreSQL manual, "System
// Columns").
var systemColumns = []string{"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}

func (c *check) table(ctx context.Context, t schema.Table) error {
	const longest = 63 // bytes of a name (NAMEDATALEN - 1); the server would truncate longer names
	path := stage.DB + "/" + t.Name
	if t.Dialect != postgres.Dialect {
		c.refuse("table %s has the dialect %q; the transform typemap must come first", t.Name, t.Dialect)
		return nil
	}
	c.reasons = append(c.reasons, postgres.Refusals(&t)...)
	c.losses = append(c.losses, postgres.Losses(&t)...)
	if full := c.conn.Site.Prefix + t.Name; len(full) > longest || t.Name == "" || t.Name == postgres.Marker || postgres.IsScratch(full) {
		c.refuse("table %s: the name %q is longer than %d bytes, empty or used by Vault; choose a shorter prefix or exclude it", t.Name, full, longest)
	}
	names := map[string]bool{}
	for _, col := range t.Columns {
		switch {
		case names[col.Name]:
			c.refuse("table %s: two columns have the name %q", t.Name, col.Name)
		case slices.Contains(systemColumns, col.Name):
			c.refuse("table %s: column %s is a system column of PostgreSQL", t.Name, col.Name)
		case col.Name == "":
			c.refuse("table %s: a column has no name", t.Name)
		}
		names[col.Name] = true
		if len(col.Name) > longest {
			c.refuse("table %s: column %s has a name longer than %d bytes", t.Name, col.Name, longest)
		}
		why, err := c.native(ctx, col)
		if err != nil {
			return err
		}
		if why != "" {
			c.refuse("table %s: column %s: %s", t.Name, col.Name, why)
		}
		if known, err := c.collation(ctx, col.Collation); err != nil {
			return err
		} else if !known {
			c.notes = append(c.notes, stage.Note{Path: path, Text: fmt.Sprintf("column %s: the server has no collation %s; the database's default is used", col.Name, col.Collation)})
		}
	}
	if t.Sequence != nil && t.Sequence.Next > math.MaxInt64 {
		c.notes = append(c.notes, stage.Note{Path: path, Text: fmt.Sprintf("the next value of column %s is %d, beyond the maximum of a sequence; no row can be added", t.Sequence.Column, t.Sequence.Next)})
	}
	return nil
}

// native returns why the server cannot have a column's type, or "".
func (c *check) native(ctx context.Context, col schema.Column) (string, error) {
	if col.Native == "" || col.Type.Kind == schema.Enum && len(col.Type.Values) > 0 {
		return "", nil
	}
	if why, ok := c.types[col.Native]; ok {
		return why, nil
	}
	var known, domain bool
	err := c.conn.QueryRow(ctx, "SELECT t.oid IS NOT NULL, t.typtype = 'd' IS TRUE FROM (SELECT to_regtype($1)) n (oid) LEFT JOIN pg_type t USING (oid)", col.Native).Scan(&known, &domain)
	if err != nil && postgres.Code(err) == "" {
		return "", c.conn.Explain(err, "looking up type %s", col.Native)
	}
	why := ""
	if !known {
		why = fmt.Sprintf("the server has no type %s; create the extension that defines it", col.Native)
	} else if domain { // sources resolve domains; its checks could run anything
		why = fmt.Sprintf("the type %s is a domain on this server, with unknown checks", col.Native)
	}
	c.types[col.Native] = why
	return why, nil
}

func (c *check) collation(ctx context.Context, name string) (bool, error) {
	if known, ok := c.collations[name]; ok || name == "" {
		return known || name == "", nil
	}
	var known bool
	err := c.conn.QueryRow(ctx, "SELECT to_regcollation($1) IS NOT NULL", name).Scan(&known)
	if err != nil && postgres.Code(err) == "" {
		return false, c.conn.Explain(err, "looking up collation %s", name)
	}
	c.collations[name] = known
	return known, nil
}
