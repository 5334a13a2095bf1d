package typemap

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Dialects of targets.
const (
	mysql    = "mysql"
	postgres = "postgres"
	sqlite   = "sqlite"
)

// Table maps a table to a target dialect. For its own dialect and for a repository
// ("") it returns the table unchanged.
func (x *transform) Table(_ context.Context, t schema.Table, target string) (stage.Mapped, error) {
	if target == "" || target == t.Dialect {
		return stage.Mapped{From: t, Schema: t}, nil
	}
	if target != mysql && target != postgres && target != sqlite {
		return stage.Mapped{}, fmt.Errorf("table %s: there are no type rules for the dialect %q", t.Name, target)
	}
	b := builder{Mapped: stage.Mapped{From: t, Schema: schema.Table{
		Name: t.Name, Dialect: target, PrimaryKey: t.PrimaryKey, Comment: t.Comment,
	}}}
	b.sequence()
	for i := range t.Columns {
		if err := x.column(&b, t.Columns[i]); err != nil {
			return stage.Mapped{}, inColumn(err, t, i)
		}
	}
	if target == mysql {
		b.fitRow()
	}
	b.primaryKey()
	b.indexes()
	if target == mysql {
		b.keySequence()
	}
	return b.Mapped, nil
}

// column appends a column as the target will have it.
func (x *transform) column(b *builder, c schema.Column) error {
	to := schema.Column{Name: c.Name, Type: c.Type, Nullable: c.Nullable, Comment: c.Comment}
	cell := Same
	if b.Schema.Dialect == sqlite && c.Type.Kind != schema.Int {
		to.Type.Unsigned = false // SQLite's declared types have it only for integers
	}
	if b.Schema.Dialect != sqlite {
		r, err := x.rule(b.narrow(c), b.Schema.Dialect)
		if err != nil {
			return err
		}
		to.Native, to.Type = r.apply(c.Type)
		cell = r.Cell
		if r.AsText {
			b.note("column %s: %s%s", c.Name, native(c), r.Remark)
		}
	}
	if isGeometry(b.From.Dialect, c) {
		cell = GeometryToText
	}
	if slices.Contains(b.From.PrimaryKey, c.Name) {
		to.Nullable = false // only SQLite has nullable keys
	}
	to.Default = b.defaultOf(c, to, cell)
	if c.OnUpdate {
		b.loseDefault(c, "only MySQL and MariaDB have ON UPDATE CURRENT_TIMESTAMP")
	}
	b.Rewrite = b.Rewrite || cell != Same
	b.Schema.Columns = append(b.Schema.Columns, to)
	return nil
}

// rule returns the first rule for a type.
func (x *transform) rule(t schema.Type, target string) (*Rule, error) {
	if target == sqlite {
		return &Rule{}, nil
	}
	for i := range x.rules {
		r := &x.rules[i]
		if r.To != target || !r.Matches(t) {
			continue
		}
		if r.AsText && x.refuse {
			return nil, failure.New(failure.Refused, "%s has no such type; set unknown: text in typemap to store it as text, or exclude the table", target)
		}
		return r, nil
	}
	return nil, failure.New(failure.Refused, "no rule maps %s of %d bytes to %s", t.Kind, t.Size, target)
}

func inColumn(err error, t schema.Table, column int) error {
	return fmt.Errorf("table %s column %s (%s): %w", t.Name, t.Columns[column].Name, t.Columns[column].Type.Kind, err)
}

func native(c schema.Column) string {
	if c.Native == "" {
		return ""
	}
	return c.Native + ": "
}

// builder builds a Mapped.
type builder struct{ stage.Mapped }

func (b *builder) note(format string, args ...any) {
	b.Notes = append(b.Notes, stage.Note{Path: b.path(), Text: fmt.Sprintf(format, args...)})
}

func (b *builder) loss(kind stage.LossKind, where, format string, args ...any) {
	b.Losses = append(b.Losses, stage.Loss{Kind: kind, Path: b.path(), Where: where, Reason: fmt.Sprintf(format, args...), Count: 1})
}

func (b *builder) path() string { return stage.DB + "/" + b.From.Name }

// sequence transfers the sequence. Only MySQL counts beyond the largest BIGINT.
func (b *builder) sequence() {
	s := b.From.Sequence
	if s == nil {
		return
	}
	if s.Next > math.MaxInt64 && b.Schema.Dialect != mysql {
		b.loss(stage.LossDefault, "column "+s.Column, "its sequence continues at %d, but that of %s ends at %d", s.Next, b.Schema.Dialect, int64(math.MaxInt64))
		return
	}
	b.Schema.Sequence = &schema.Sequence{Column: s.Column, Next: s.Next}
}

// narrow returns the type of a column for choosing the rule: one with a sequence
// becomes an ordinary BIGINT on PostgreSQL, because its values always fit.
func (b *builder) narrow(c schema.Column) schema.Type {
	t := c.Type
	if s := b.Schema.Sequence; s != nil && s.Column == c.Name && b.Schema.Dialect == postgres && t.Size == 8 {
		t.Unsigned = false
	}
	return t
}
