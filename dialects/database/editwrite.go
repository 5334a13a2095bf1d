package database

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/moodle/edit"
)

// update writes the values that have changed.
func (x *editing) update(ctx context.Context, r found, before []edit.Value) error {
	var sets, columns []string
	var args []any
	for i, c := range x.columns {
		after := edit.Value{Text: r.values[i].Text, Null: r.values[i].Null}
		if after == before[i] {
			continue
		}
		sets = append(sets, x.db.Quote(c.Name)+" = ?")
		args = append(args, x.db.argument(c, after))
		columns = append(columns, c.Name)
		if x.options.Changed != nil {
			x.options.Changed(ValueChange{Table: x.table.Name, Column: c.Name, Key: x.where(r), Before: before[i], After: after})
		}
	}
	if sets == nil {
		return nil
	}
	n, err := x.write(ctx, "UPDATE "+x.name()+" SET "+strings.Join(sets, ", "), args, r, before)
	x.count.Changed += n
	if x.count.Columns == nil {
		x.count.Columns = map[string]int64{}
	}
	for _, name := range columns {
		x.count.Columns[name] += n
	}
	return err
}

func (x *editing) delete(ctx context.Context, r found, before []edit.Value) (int64, error) {
	return x.write(ctx, "DELETE FROM "+x.name(), nil, r, before)
}

// write executes a statement for a row and returns the number of rows that it concerned.
func (x *editing) write(ctx context.Context, statement string, args []any, r found, before []edit.Value) (int64, error) {
	if x.options.DryRun {
		return 1, nil
	}
	where, more := x.identify(r.key, before)
	n, err := x.db.Exec(ctx, statement+" WHERE "+where, append(args, more...)...)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s: %w", x.where(r), err)
	case n == 0:
		return 0, fmt.Errorf("the row %s is not there any more; run again when nothing else writes to the table", x.where(r))
	case x.key != nil && n > 1:
		return 0, fmt.Errorf("%d rows have the key %s", n, x.where(r))
	}
	return n, nil
}

// identify returns the condition for a row: its key, or else all values, which must be
// exactly the same.
func (x *editing) identify(key, values []edit.Value) (string, []any) {
	var conditions []string
	var args []any
	if x.key != nil {
		for i, c := range x.key {
			conditions = append(conditions, x.db.Quote(c.Name)+" = ?")
			args = append(args, x.db.argument(c, key[i]))
		}
		return strings.Join(conditions, " AND "), args
	}
	for i, c := range x.columns {
		if values[i].Null {
			conditions = append(conditions, x.db.Quote(c.Name)+" IS NULL")
			continue
		}
		conditions = append(conditions, x.db.exactly(c))
		args = append(args, x.db.argument(c, values[i]))
	}
	return strings.Join(conditions, " AND "), args
}

func (x *editing) insert(ctx context.Context, row map[string]edit.Value) error {
	var into, marks []string
	var args []any
	for _, c := range x.table.Columns {
		if v, given := row[c.Name]; given {
			into, marks = append(into, x.db.Quote(c.Name)), append(marks, "?")
			args = append(args, x.db.argument(c, v))
		}
	}
	if into == nil {
		return errors.New("it has no values")
	}
	_, err := x.db.Exec(ctx, "INSERT INTO "+x.name()+" ("+strings.Join(into, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", args...)
	return err
}

// name returns the name of the table for a statement.
func (x *editing) name() string { return x.db.Quote(x.db.prefix + x.table.Name) }

// where returns the key of a row for messages.
func (x *editing) where(r found) string {
	var parts []string
	for i, c := range x.key {
		parts = append(parts, c.Name+"="+r.key[i].Text)
	}
	return strings.Join(parts, " ")
}
