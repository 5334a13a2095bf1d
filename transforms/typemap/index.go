package typemap

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// indexes transfers the indexes of a table. Those that Moodle creates differently on
// each engine are created in the target's form.
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
			b.note("not created, because Moodle has no such index on %s: %s", b.Schema.Dialect, named(r.From))
		default:
			b.note("created as Moodle does on %s: %s", b.Schema.Dialect, named(r.From))
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

// index transfers an index as far as the target supports it.
func (b *builder) index(x schema.Index) {
	where := "index " + x.Name
	switch {
	case moodle.Doubled(&b.From, x):
		b.note("%s is not created: it duplicates an ordinary one on the same columns, and %s does not need it", where, b.Schema.Dialect)
		return
	case x.Native != "":
		b.loss(stage.LossIndex, where, "only %s has such indexes: %s", b.From.Dialect, x.Native)
		return
	case x.Method != "":
		b.loss(stage.LossIndex, where, "only %s has %s indexes", b.From.Dialect, x.Method)
		return
	case x.EngineOwn():
		b.loss(stage.LossIndex, where, "only %s has operator classes and text search indexes", b.From.Dialect)
		return
	}
	if _, timing, ok := strings.Cut(x.Constraint, " "); ok {
		b.note("%s is checked immediately: %s has no constraints that are %s", where, b.Schema.Dialect, timing)
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
			b.loss(stage.LossIndex, where, "its column %s is not transferred", c.Name)
			return
		}
		if b.Schema.Dialect == postgres && col.Type.Kind == schema.JSON {
			b.loss(stage.LossIndex, where, "PostgreSQL cannot sort values of the JSON column %s", c.Name)
			return
		}
		if c.Prefix == 0 {
			continue
		}
		if x.Unique {
			b.loss(stage.LossIndex, where, "only MySQL can make the first %d characters of %s unique", c.Prefix, c.Name)
			return
		}
		if b.Schema.Dialect == postgres && col.Type.Kind != schema.Char {
			b.loss(stage.LossIndex, where, "it covers the first %d characters of %s, whose full values are too long for an index of PostgreSQL", c.Prefix, c.Name)
			return
		}
		b.note("index %s: all of %s is indexed, not only its first %d characters", x.Name, c.Name, c.Prefix)
		c.Prefix = 0
	}
	b.Schema.Indexes = append(b.Schema.Indexes, x)
}
