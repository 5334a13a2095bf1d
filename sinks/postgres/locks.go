package postgres

import (
	"context"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// locks refuses an exchange that needs more locks than the server has: it renames all
// objects of both sites in one transaction, and locks each.
func (c *check) locks(ctx context.Context) error {
	if c.plan.Replace != stage.ReplaceSwap {
		return nil
	}
	l, err := listReplaced(ctx, c.conn, c.plan.Preserve)
	if err != nil {
		return err
	}
	old, err := c.conn.Objects(ctx, l)
	if err != nil {
		return err
	}
	const others = 50 // locks on the catalog and other objects
	need := others + len(old)
	for _, info := range c.plan.Tables {
		need += 2 + len(info.Schema.Indexes) // including the primary key
		if info.Schema.Sequence != nil {
			need++
		}
		for _, col := range info.Schema.Columns {
			if col.Type.Kind == schema.Enum {
				need++
			}
		}
	}
	free, each, err := c.conn.Locks(ctx)
	if err != nil {
		return err
	}
	if need > free {
		c.refuse("replace: true exchanges the sites in one transaction, which needs %d locks, but the server has %d available; raise max_locks_per_transaction from %d to %d or more, or set replace: in_place",
			need, free, each, each*(need+free-1)/max(free, 1)+1)
	}
	return nil
}
