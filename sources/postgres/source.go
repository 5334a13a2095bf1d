package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lmsvault/vault/core/keyrange"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// Source reads a site's tables.
type Source struct {
	config Config
	env    stage.Env

	holder  *holder
	workers *postgres.Pool
	tables  map[string]*postgres.Table
	where   map[string]string // conditions on rows, by table
}

var (
	_ stage.RowSource = (*Source)(nil)
	_ stage.Counter   = (*Source)(nil)
	_ stage.Joiner    = (*Source)(nil)
)

// Plan takes the snapshot from which everything is read.
func (s *Source) Plan(ctx context.Context, r stage.PlanRequest) (*stage.Inventory, error) {
	var err error
	if s.holder, err = hold(ctx, s.config, r.Selection); err != nil {
		return nil, err
	}
	conn := s.holder.conn
	catalog, err := conn.Inspect(ctx, s.holder.listing)
	if err != nil {
		return nil, err
	}
	facts, err := s.facts(ctx)
	if err != nil {
		return nil, err
	}
	location, err := conn.Location(ctx)
	if err != nil {
		return nil, err
	}
	inv := &stage.Inventory{Facts: facts, Location: location, Losses: catalog.Losses, Notes: slices.Concat(s.holder.notes, catalog.Notes), Excluded: s.holder.excluded}
	if inv.Session, err = s.holder.session(); err != nil {
		return nil, err
	}
	if err := s.apply(catalog); err != nil {
		return nil, err
	}
	if err := conn.MoodleFacts(ctx, catalog, func(table string) string { return s.where[table] }, inv.Facts); err != nil {
		return nil, err
	}
	for _, t := range catalog.Tables {
		inv.Tables = append(inv.Tables, stage.TableInfo{Schema: t.Table, Rows: t.Rows, Bytes: t.Bytes})
		ranges, err := conn.Ranges(ctx, t, postgres.UnitBytes)
		if err != nil {
			return nil, err
		}
		inv.Units = append(inv.Units, units(t, ranges)...)
	}
	want := min(s.readers(), max(len(inv.Units), 1))
	if s.workers, err = postgres.OpenPool(ctx, want, s.holder.join); err != nil {
		return nil, err
	}
	if n := s.workers.Size(); n < want {
		inv.Notes = append(inv.Notes, stage.Note{Path: stage.DB, Text: fmt.Sprintf("the server had connections for only %d of %d readers", n, want)})
	}
	return inv, nil
}

// apply binds the selection to the tables.
func (s *Source) apply(catalog *postgres.Catalog) error {
	s.tables, s.where = make(map[string]*postgres.Table, len(catalog.Tables)), map[string]string{}
	for _, t := range catalog.Tables {
		filter, err := s.holder.selected.Filter(t.Table)
		if err != nil {
			return err
		}
		if filter.None() {
			t.Rows, t.Bytes = 0, 0
		}
		s.tables[t.Name], s.where[t.Name] = t, filter.SQL(postgres.Conditions{})
	}
	return nil
}

// readers returns the number of concurrent sessions.
func (s *Source) readers() int {
	if s.config.Connections > 0 {
		return s.config.Connections
	}
	return max(s.env.Workers, 1)
}

// Join uses the snapshot that another process holds.
func (s *Source) Join(ctx context.Context, session stage.Session) error {
	var err error
	if s.holder, err = joinHolder(ctx, s.config, session); err != nil {
		return err
	}
	catalog, err := s.holder.conn.Inspect(ctx, s.holder.listing)
	if err != nil {
		return err
	}
	if err := s.apply(catalog); err != nil {
		return err
	}
	s.workers, err = postgres.OpenPool(ctx, s.readers(), s.holder.join)
	return err
}

// whole is the Spec of a unit that is a whole table without an integer key.
const whole = "whole"

// units returns the independent units of a table.
func units(t *postgres.Table, ranges []keyrange.Range) []stage.Unit {
	path := stage.DB + "/" + t.Name
	if ranges == nil {
		return []stage.Unit{{ID: path, Part: stage.DB, Table: t.Name, Spec: whole, Rows: t.Rows, Bytes: t.Bytes}}
	}
	var list []stage.Unit
	n := int64(len(ranges))
	for _, r := range ranges {
		u := stage.Unit{ID: path, Part: stage.DB, Table: t.Name, Spec: r.String(), Rows: t.Rows / n, Bytes: t.Bytes / n}
		if r.From != "" {
			u.ID += "#" + r.From
		}
		list = append(list, u)
	}
	return list
}

func (s *Source) facts(ctx context.Context) (map[string]string, error) {
	conn := s.holder.conn
	facts := map[string]string{
		"engine":      "PostgreSQL " + conn.Release,
		"dialect":     postgres.Dialect,
		"prefix":      conn.Site.Prefix,
		"schema":      conn.Site.Schema,
		"consistency": "one exported snapshot for all tables",
	}
	var charset, collation, position string
	err := conn.QueryRow(ctx, `SELECT pg_encoding_to_char(encoding), datcollate,
		(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text
		FROM pg_database WHERE datname = current_database()`).Scan(&charset, &collation, &position)
	if err != nil {
		return nil, conn.Explain(err, "reading encoding, collation and position")
	}
	maps.Copy(facts, map[string]string{"charset": charset, "collation": collation, "position": position})
	return facts, nil
}

// ReadRows reads one unit of the plan. A lost session is reopened for the next
// attempt with the same snapshot, as long as the holder lives.
func (s *Source) ReadRows(ctx context.Context, request stage.ReadRequest, w stage.RowWriter) error {
	unit := request.Unit
	t := s.tables[unit.Table]
	if t == nil {
		return fmt.Errorf("unit %s: table %q is not in the plan", unit.ID, unit.Table)
	}
	r := postgres.Reader{Table: &t.Table, Partitioned: t.Partitioned, Where: s.where[t.Name]}
	if unit.Spec != whole {
		keys, err := keyrange.Parse(unit.Spec)
		if err != nil {
			return fmt.Errorf("unit %s: %w", unit.ID, err)
		}
		r.Range = &keys
	}
	conn, err := s.workers.Take(ctx)
	if err != nil {
		return err
	}
	defer s.workers.Give(conn)
	if err := conn.Read(ctx, r, func(ctx context.Context, data []byte, n int) error {
		return w.Write(ctx, stage.Chunk{Data: data, Rows: n})
	}); err != nil {
		return err
	}
	return s.holder.alive(ctx)
}

// Count counts a table's rows in the snapshot, independently of COPY.
func (s *Source) Count(ctx context.Context, table string) (n int64, err error) {
	t := s.tables[table]
	if t == nil {
		return 0, fmt.Errorf("table %q is not in the plan", table)
	}
	conn, err := s.workers.Take(ctx)
	if err != nil {
		return 0, err
	}
	defer s.workers.Give(conn)
	if n, err = conn.Count(ctx, t, s.where[table]); err == nil {
		err = s.holder.alive(ctx)
	}
	return n, err
}

// Close closes all sessions and with them the snapshot.
func (s *Source) Close(ctx context.Context) error {
	var errs []error
	if s.workers != nil {
		errs = append(errs, s.workers.Close(ctx))
	}
	if s.holder != nil {
		errs = append(errs, s.holder.conn.Close(ctx))
	}
	return errors.Join(errs...)
}
