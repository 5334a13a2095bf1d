package database

import (
	"context"
	"fmt"
	"slices"

	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/schema"
)

// EditOptions are the options of Edit.
type EditOptions struct {
	DryRun bool // count only
	// Changed, if set, is called for each value that is changed, or would be.
	Changed func(ValueChange)
}

// ValueChange is a value that is changed.
type ValueChange struct {
	Table, Column string
	Key           string // of the row: id=5
	Before, After edit.Value
}

// Edit applies an Edit to the site's tables and returns what it does to each table in which
// there is something to report. Each table is changed in one transaction: after an error,
// the tables before it are changed, and the call may be repeated. A row that an Edit both
// adds and drops stays as it is.
//
// Nothing else may use the database meanwhile. Rows are found by the primary key, else by a
// unique index, else by the values that the Edit looks at.
func (d *Database) Edit(ctx context.Context, e edit.Edit, o EditOptions) ([]edit.Count, error) {
	tables, err := d.Tables(ctx)
	if err != nil {
		return nil, err
	}
	var counts []edit.Count
	for i := range tables {
		t := &tables[i].Table
		change, err := e.Table(ctx, t)
		if err != nil {
			return counts, fmt.Errorf("table %s: %w", t.Name, err)
		}
		if change == nil {
			continue
		}
		x := &editing{db: d, table: t, change: change, options: o, count: edit.Count{Table: t.Name}}
		if err := x.run(ctx); err != nil {
			return counts, fmt.Errorf("table %s: %w", t.Name, err)
		}
		if !x.count.Nothing() {
			counts = append(counts, x.count)
		}
	}
	return counts, nil
}

// editing is an Edit of one table.
type editing struct {
	db      *Database
	table   *schema.Table
	change  edit.Change
	options EditOptions
	count   edit.Count

	columns []schema.Column // that the change looks at
	key     []schema.Column // nil if rows are found by columns
	added   []map[string]edit.Value
}

func (x *editing) run(ctx context.Context) error {
	for _, i := range x.change.Columns() {
		c := x.table.Columns[i]
		if !editable(c.Type.Kind) {
			return fmt.Errorf("values of column %s, whose type is %s, can't be changed", c.Name, c.Type.Kind)
		}
		x.columns = append(x.columns, c)
	}
	for _, i := range x.table.Key() {
		x.key = append(x.key, x.table.Columns[i])
	}
	if slices.ContainsFunc(x.key, func(c schema.Column) bool { return !ordered(c.Type.Kind) }) {
		x.key = nil
	}
	x.added = slices.Clone(x.change.Added())
	if err := edit.Addable(x.table, x.added); err != nil {
		return err
	}
	if x.options.DryRun {
		return x.apply(ctx)
	}
	return x.db.Atomically(ctx, func() error { return x.apply(ctx) })
}

func (x *editing) apply(ctx context.Context) error {
	if err := x.rows(ctx); err != nil {
		return err
	}
	for _, row := range x.added {
		x.count.Added++
		if x.options.DryRun {
			continue
		}
		if err := x.insert(ctx, row); err != nil {
			return fmt.Errorf("adding a row: %w", err)
		}
	}
	return nil
}

// found is a row with its key and the values that the change looks at.
type found struct {
	key    []edit.Value
	values []edit.Value
}

// row applies the change to one row.
func (x *editing) row(ctx context.Context, r found) error {
	before := slices.Clone(r.values)
	verdict, err := x.change.Row(r.values)
	if err != nil {
		return fmt.Errorf("%s: %w", x.where(r), err)
	}
	for i, v := range r.values {
		switch {
		case v.Left == "":
		case len(x.count.Left) < edit.MaxLeft:
			x.count.Left = append(x.count.Left, edit.Left{Table: x.table.Name, Column: x.columns[i].Name, Key: x.where(r), Reason: v.Left})
		default:
			x.count.More++
		}
	}
	switch verdict {
	case edit.Drop:
		if i := x.same(before); i >= 0 {
			x.added = slices.Delete(x.added, i, i+1)
			return nil
		}
		n, err := x.delete(ctx, r, before)
		x.count.Dropped += n
		return err
	case edit.Changed:
		return x.update(ctx, r, before)
	}
	return nil
}

// same returns the position of an added row that has these values and no others, or -1.
func (x *editing) same(values []edit.Value) int {
	return slices.IndexFunc(x.added, func(row map[string]edit.Value) bool {
		met := 0
		for i, c := range x.columns {
			if v, given := row[c.Name]; given && v == values[i] {
				met++
			}
		}
		return met == len(row)
	})
}
