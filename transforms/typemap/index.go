package typemap

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// index carries an index as far as the target can have it.
func (b *builder) index(x schema.Index) {
	where := "index " + x.Name
	switch {
	case x.Native != "" && b.doubled(x):
		b.note("%s is not made: it stands beside an ordinary one on the same columns, and %s has no use for it", where, b.Schema.Dialect)
		return
	case x.Native != "":
		b.loss(stage.LossIndex, where, "only %s has such indexes: %s", b.From.Dialect, x.Native)
		return
	case x.Method != "":
		b.loss(stage.LossIndex, where, "only %s has %s indexes", b.From.Dialect, x.Method)
		return
	}
	x.Columns = slices.Clone(x.Columns)
	if b.Schema.Dialect == mysql {
		b.mysqlIndex(x)
		return
	}
	for i := range x.Columns {
		c := &x.Columns[i]
		col := b.Schema.Column(c.Name)
		if col == nil {
			b.loss(stage.LossIndex, where, "its column %s is not carried", c.Name)
			return
		}
		if b.Schema.Dialect == postgres && col.Type.Kind == schema.JSON {
			b.loss(stage.LossIndex, where, "PostgreSQL can't order values of the JSON column %s", c.Name)
			return
		}
		if c.Prefix == 0 {
			continue
		}
		if x.Unique {
			b.loss(stage.LossIndex, where, "it makes the first %d characters of %s unique, which is MySQL's own", c.Prefix, c.Name)
			return
		}
		if b.Schema.Dialect == postgres && col.Type.Kind != schema.Char {
			b.loss(stage.LossIndex, where, "it is over the first %d characters of %s, whose whole values are too long for an index of PostgreSQL", c.Prefix, c.Name)
			return
		}
		b.note("index %s: the whole of %s is indexed, not its first %d characters", x.Name, c.Name, c.Prefix)
		c.Prefix = 0
	}
	b.Schema.Indexes = append(b.Schema.Indexes, x)
}

// doubled tells whether an index for LIKE (varchar_pattern_ops), as XMLDB makes
// them on PostgreSQL, has the ordinary one on the same columns beside it. Only
// that is there on other engines.
func (b *builder) doubled(x schema.Index) bool {
	return !x.Unique && strings.Contains(x.Native, "_pattern_ops)") && slices.ContainsFunc(b.From.Indexes, func(o schema.Index) bool {
		return o.Native == "" && o.Method == "" && slices.Equal(o.Columns, x.Columns)
	})
}
