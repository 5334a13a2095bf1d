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

// rehearse creates each table under another name and takes it back at once, so
// that what the server refuses is known while the old site is still there. Indexes
// that another server may not know are made too, rather than fail when all is
// loaded. Nothing has the name that it gets in the end: the old site may have it.
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
		return c.Explain(err, "table %s: taking back what was tried", c.Site.Table(name))
	}
	if failed != nil {
		return c.Explain(failed, "trying to create table %s with its indexes", c.Site.Table(name))
	}
	return nil
}
