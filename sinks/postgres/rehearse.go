package postgres

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// rehearse creates each table under another name and drops it at once, so that what
// the server refuses is known while the old site still exists. It also creates
// indexes that other servers may not support, rather than fail after loading. Nothing
// gets its final name, as the old site may use it.
func (s *Sink) rehearse(ctx context.Context, p *stage.Plan, tables []schema.Table) error {
	return postgres.Each(ctx, s.pool, tables, func(ctx context.Context, c *postgres.Conn, t schema.Table) error {
		return rehearse(ctx, c, p, t)
	})
}

func rehearse(ctx context.Context, c *postgres.Conn, p *stage.Plan, t schema.Table) error {
	other := *c
	other.Site.Prefix = "vault_" + strings.ToLower(rand.Text()) + "_"
	b := builder(p, other.Site.Names())
	b.Beside = other.Site.Beside()
	name := t.Name
	t.Name = "t"
	b.Name([]schema.Table{t})
	build, err := b.Table(t)
	if err != nil {
		return err
	}
	all := slices.Concat([]string{"BEGIN"}, b.Types(), build.Create)
	if t.PrimaryKeyIndex != nil || slices.ContainsFunc(t.Indexes, func(x schema.Index) bool { return x.EngineOwn() || x.Options != "" }) {
		for _, x := range build.Indexes {
			all = append(append(all, x.SQL), x.Then...)
		}
	}
	failed := c.ExecAll(ctx, all...)
	if _, err := c.Exec(ctx, "ROLLBACK"); err != nil && failed == nil {
		return c.Explain(err, "table %s: rolling back the trial", c.Site.Table(name))
	}
	if failed != nil {
		return c.Explain(failed, "creating table %s with its indexes on trial", c.Site.Table(name))
	}
	return nil
}
