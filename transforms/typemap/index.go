package typemap

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// indexes carries the indexes of a table. Those that Moodle makes in a form of each
// engine's own are made in the target's.
func (b *builder) indexes() {
	replaced := moodle.EngineIndexes(&b.From, b.Schema.Dialect)
	for _, x := range b.From.Indexes {
		if !slices.ContainsFunc(replaced, func(r moodle.Replacement) bool { return slices.ContainsFunc(r.From, x.SameAs) }) {
			b.index(x)
		}
	}
	for _, r := range replaced {
		b.Schema.Indexes = append(b.Schema.Indexes, r.To...)
		switch {
		case len(r.From) == 0:
		case len(r.To) == 0:
			b.note("not made, as Moodle has no such index on %s: %s", b.Schema.Dialect, named(r.From))
		default:
			b.note("made as Moodle makes it on %s: %s", b.Schema.Dialect, named(r.From))
		}
	}
}

func named(indexes []schema.Index) string {
	names := make([]string, len(indexes))
	for i, x := range indexes {
		names[i] = "index " + x.Name
	}
	return strings.Join(names, ", ")
}

// index carries an index as far as the target can have it.
func (b *builder) index(x schema.Index) {
	where := "index " + x.Name
	switch {
	case moodle.Doubled(&b.From, x):
		b.note("%s is not made: it stands beside an ordinary one on the same columns, and %s has no use for it", where, b.Schema.Dialect)
		return
	case x.Native != "":
		b.loss(stage.LossIndex, where, "only %s has such indexes: %s", b.From.Dialect, x.Native)
		return
	case x.Method != "":
		b.loss(stage.LossIndex, where, "only %s has %s indexes", b.From.Dialect, x.Method)
		return
	case x.EngineOwn():
		b.loss(stage.LossIndex, where, "only %s has indexes with an operator class or over words", b.From.Dialect)
		return
	}
	if _, timing, ok := strings.Cut(x.Constraint, " "); ok {
		b.note("%s is checked at once: %s has no constraint that is %s", where, b.Schema.Dialect, timing)
	}
	x.Columns, x.Options, x.Constraint = slices.Clone(x.Columns), "", ""
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
