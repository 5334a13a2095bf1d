package postgres

import (
	"context"
	"slices"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// Begin marks the schema, drops what is to be replaced and creates the tables.
func (s *Sink) Begin(ctx context.Context, p *stage.Plan) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	s.began = true
	if err := mark(ctx, conn); err != nil {
		return err
	}
	if s.config.Replace {
		if err := drop(ctx, conn); err != nil {
			return err
		}
	}
	if s.pool, err = postgres.OpenPool(ctx, max(p.Workers, s.env.Workers, 1), s.worker); err != nil {
		return err
	}
	types, err := s.prepare(ctx, conn, p)
	if err != nil {
		return err
	}
	for _, sql := range types {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return conn.Explain(err, "creating a type (%s)", sql)
		}
	}
	return postgres.Each(ctx, s.pool, s.builds, func(ctx context.Context, c *postgres.Conn, b postgres.Build) error {
		if _, err := c.Exec(ctx, b.Create); err != nil {
			return c.Explain(err, "creating table %s", c.Site.Table(b.Table.Name))
		}
		return try(ctx, c, b)
	})
}

// worker opens a session that loads. Its commits don't wait for the disk: the
// commit that takes the mark away does, and with it all before it are on disk.
func (s *Sink) worker(ctx context.Context) (*postgres.Conn, error) {
	c, err := s.config.Open(ctx)
	if err != nil {
		return nil, err
	}
	// More memory than this hardly speeds up an index (PostgreSQL manual, maintenance_work_mem).
	_, err = c.Exec(ctx, `SELECT set_config('synchronous_commit', 'off', false),
		set_config('maintenance_work_mem', greatest(pg_size_bytes(current_setting('maintenance_work_mem')), 128 * 1024 * 1024) / 1024 || 'kB', false)`)
	if err != nil {
		return nil, c.Explain(err, "setting up a session to load")
	}
	return c, nil
}

// prepare writes all DDL; it returns the statements that come first.
func (s *Sink) prepare(ctx context.Context, conn *postgres.Conn, p *stage.Plan) ([]string, error) {
	names, err := conn.Names(ctx)
	if err != nil {
		return nil, err
	}
	for _, info := range p.Tables {
		names.Reserve(conn.Site.Prefix + info.Schema.Name)
	}
	b := postgres.Builder{Names: names, Origin: p.Facts["dialect"], Prefix: p.Facts["prefix"]}
	c := &check{conn: conn, collations: map[string]bool{}}
	s.byName, s.size = map[string]*postgres.Build{}, map[string]int64{}
	for _, info := range p.Tables {
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
		s.builds = append(s.builds, b.Table(t))
		s.size[t.Name] = info.Bytes
	}
	// Large tables first, so that none of them is left alone at the end.
	slices.SortStableFunc(s.builds, func(a, b postgres.Build) int {
		return int(s.size[b.Table.Name]>>10 - s.size[a.Table.Name]>>10)
	})
	for i := range s.builds {
		s.byName[s.builds[i].Table.Name] = &s.builds[i]
	}
	return b.Types(), nil
}

// try makes indexes that only an extension or a function makes possible on the
// empty table and takes them back, rather than fail when all is loaded.
func try(ctx context.Context, c *postgres.Conn, b postgres.Build) error {
	if !slices.ContainsFunc(b.Table.Indexes, func(x schema.Index) bool { return x.Native != "" || x.Method != "" }) {
		return nil
	}
	all := "BEGIN"
	for _, x := range b.Indexes {
		all += ";\n" + x.SQL
	}
	if _, err := c.Exec(ctx, all); err != nil {
		return c.Explain(err, "table %s: trying its indexes", c.Site.Table(b.Table.Name))
	}
	if _, err := c.Exec(ctx, "ROLLBACK"); err != nil {
		return c.Explain(err, "table %s: taking back indexes", c.Site.Table(b.Table.Name))
	}
	return nil
}
