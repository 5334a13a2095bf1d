package database

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// editable reports whether Database.value returns the canonical text of values of a kind on
// every engine, which finds them again.
func editable(k schema.Kind) bool {
	switch k {
	case schema.Int, schema.Char, schema.Text, schema.Bool, schema.Enum, schema.UUID, schema.JSON, schema.Binary:
		return true
	}
	return false
}

// ordered reports whether every engine orders values of a kind as it compares them with a
// text.
func ordered(k schema.Kind) bool {
	switch k {
	case schema.Int, schema.Char, schema.Text, schema.UUID, schema.Binary:
		return true
	}
	return false
}

// value returns the canonical value of a column for what the engine printed.
func (d *Database) value(c schema.Column, text Text) edit.Value {
	if !text.Valid {
		return edit.Value{Null: true}
	}
	if c.Type.Kind == schema.Binary && d.Dialect() != "postgres" {
		return edit.Value{Text: `\x` + hex.EncodeToString([]byte(text.String))}
	}
	return edit.Value{Text: text.String}
}

// argument returns what a statement gets for a value of a column.
func (d *Database) argument(c schema.Column, v edit.Value) any {
	if v.Null {
		return nil
	}
	if c.Type.Kind == schema.Binary && d.Dialect() != "postgres" {
		if raw, err := hex.DecodeString(strings.TrimPrefix(v.Text, `\x`)); err == nil {
			return raw
		}
	}
	return v.Text
}

// exactly returns the condition that a column has a value byte for byte: texts that differ
// in case or accents are equal in many collations.
func (d *Database) exactly(c schema.Column) string {
	name := d.Quote(c.Name)
	switch text := c.Type.Kind == schema.Char || c.Type.Kind == schema.Text; {
	case text && d.Dialect() == "mysql":
		return "CAST(CONVERT(" + name + " USING utf8mb4) AS BINARY) = CAST(? AS BINARY)"
	case d.Dialect() == "postgres":
		return name + "::text = ?" // json has no equality
	case text:
		return name + " = ? COLLATE BINARY"
	}
	return name + " = ?"
}
