package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// Begin creates the tables: beside the site that they replace, or in place, in a
// schema that is marked and from which the old site is dropped. Each table is first
// created and rolled back once, so that a failure then, or while the old site is
// dropped, leaves it unchanged.
func (s *Sink) Begin(ctx context.Context, p *stage.Plan) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	const patience = 2 * time.Second // for the session of a restore that was just killed
	if err := lock(ctx, conn, patience); err != nil {
		return err
	}
	s.plan, s.work, s.locked = p, conn.Site, true
	if p.Replace == stage.ReplaceSwap {
		s.swap = &swap{beside: conn.Site.Beside()}
		s.work = s.swap.beside.Site
	}
	err = s.begin(ctx, conn, p)
	if err != nil && !s.began && !conn.IsClosed() {
		s.locked = false
		return errors.Join(err, unlock(context.WithoutCancel(ctx), conn))
	}
	return err
}

func (s *Sink) begin(ctx context.Context, conn *postgres.Conn, p *stage.Plan) (err error) {
	if err := endLoaders(ctx, conn); err != nil {
		return err
	}
	if s.pool, err = postgres.OpenPool(ctx, max(p.Workers, s.env.Workers, 1), s.worker); err != nil {
		return err
	}
	tables, err := s.tables(ctx, conn, p)
	if err != nil {
		return err
	}
	if err := s.rehearse(ctx, p, tables); err != nil {
		return err
	}
	if err := s.removeLeftovers(ctx, conn); err != nil {
		return err
	}
	var names *postgres.Names
	if s.swap != nil {
		names, err = s.besides(ctx, conn)
		if err == nil {
			err = s.mark(ctx, s.beside(conn))
		}
	} else if err = s.clear(ctx, conn); err == nil {
		names, err = conn.Names(ctx)
	}
	if err != nil {
		return err
	}
	types, err := s.prepare(names, p, tables)
	if err != nil {
		return err
	}
	for _, sql := range types {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return conn.Explain(err, "creating a type (%s)", sql)
		}
	}
	return postgres.Each(ctx, s.pool, s.builds, func(ctx context.Context, c *postgres.Conn, b postgres.Build) error {
		if err := c.ExecAll(ctx, b.Create...); err != nil {
			return c.Explain(err, "creating table %s", c.Site.Table(b.Table.Name))
		}
		return nil
	})
}

// worker opens a session for loading. Its commits do not wait for the disk: the
// commit that removes the marker does, and makes all earlier ones durable.
func (s *Sink) worker(ctx context.Context) (*postgres.Conn, error) {
	c, err := s.config.Open(ctx)
	if err != nil {
		return nil, err
	}
	// More memory than this hardly speeds up building an index (PostgreSQL manual,
	// maintenance_work_mem).
	_, err = c.Exec(ctx, `SELECT pg_advisory_lock_shared($1), set_config('synchronous_commit', 'off', false),
		set_config('maintenance_work_mem', greatest(pg_size_bytes(current_setting('maintenance_work_mem')), 128 * 1024 * 1024) / 1024 || 'kB', false)`, lockKey(c.Site, "loaders"))
	if err != nil {
		return nil, c.Explain(err, "setting up a session to load")
	}
	c.Site = s.work
	return c, nil
}

// tables returns the tables of the plan with collations that the server has.
func (s *Sink) tables(ctx context.Context, conn *postgres.Conn, p *stage.Plan) ([]schema.Table, error) {
	c := &check{conn: conn, collations: map[string]bool{}}
	tables := make([]schema.Table, len(p.Tables))
	for k, info := range p.Tables {
		t := info.Schema
		t.Columns = slices.Clone(t.Columns)
		for i := range t.Columns {
			known, err := c.collation(ctx, t.Columns[i].Collation)
			if err != nil {
				return nil, err
			}
			if !known {
				t.Columns[i].Collation = ""
			}
		}
		tables[k] = t
	}
	return tables, nil
}

// prepare writes all DDL and returns the statements to run first.
func (s *Sink) prepare(names *postgres.Names, p *stage.Plan, tables []schema.Table) ([]string, error) {
	b := builder(p, names)
	s.builder = &b
	if s.swap != nil {
		b.Beside = s.swap.beside
	}
	b.Name(tables)
	s.byName, s.size = map[string]*postgres.Build{}, map[string]int64{}
	for k, t := range tables {
		build, err := b.Table(t)
		if err != nil {
			return nil, err
		}
		s.builds = append(s.builds, build)
		s.size[t.Name] = p.Tables[k].Bytes
	}
	// Large tables first, so that none runs alone at the end.
	slices.SortStableFunc(s.builds, func(a, b postgres.Build) int {
		return int(s.size[b.Table.Name]>>10 - s.size[a.Table.Name]>>10)
	})
	for i := range s.builds {
		s.byName[s.builds[i].Table.Name] = &s.builds[i]
	}
	return b.Types(), nil
}

func builder(p *stage.Plan, names *postgres.Names) postgres.Builder {
	return postgres.Builder{Names: names, Origin: p.Facts["dialect"], Prefix: p.Facts["prefix"]}
}
