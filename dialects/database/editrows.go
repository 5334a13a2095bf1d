package database

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/schema"
)

// Limits of a page, which is kept in memory.
const (
	pageRows  = 1000
	pageBytes = 8 << 20
)

var errPage = errors.New("the page is full")

// rows applies the change to all rows, in pages in the order of the key.
func (x *editing) rows(ctx context.Context) error {
	if len(x.columns) == 0 {
		return nil
	}
	if x.key == nil {
		return x.keyless(ctx)
	}
	var last []edit.Value
	for {
		page, err := x.page(ctx, last)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := x.row(ctx, r); err != nil {
				return err
			}
		}
		if len(page) == 0 {
			return nil
		}
		last = page[len(page)-1].key
	}
}

// page returns the next rows after a key, nil for the first.
func (x *editing) page(ctx context.Context, after []edit.Value) ([]found, error) {
	var page []found
	bytes := 0
	condition, args := x.narrow()
	if after != nil {
		more, values := x.after(after)
		condition = "(" + condition + ") AND (" + more + ")"
		args = append(args, values...)
	}
	order := x.list(x.key)
	statement := fmt.Sprintf("SELECT %s, %s FROM %s WHERE %s ORDER BY %s LIMIT %d", order, x.list(x.columns), x.name(), condition, order, pageRows)
	err := x.db.Each(ctx, statement, args, func(row []Text) error {
		r := found{key: x.values(x.key, row), values: x.values(x.columns, row[len(x.key):])}
		page = append(page, r)
		for _, v := range row {
			bytes += len(v.String)
		}
		if bytes >= pageBytes {
			return errPage
		}
		return nil
	})
	if errors.Is(err, errPage) {
		err = nil
	}
	return page, err
}

// keyless applies the change to the rows of a table without a key. Rows with the same
// values are changed by one statement, as the change is the same.
func (x *editing) keyless(ctx context.Context) error {
	condition, args := x.narrow()
	var all []found
	statement := fmt.Sprintf("SELECT %s FROM %s WHERE %s", x.list(x.columns), x.name(), condition)
	seen := map[string]bool{}
	err := x.db.Each(ctx, statement, args, func(row []Text) error {
		r := found{values: x.values(x.columns, row)}
		id := fmt.Sprintf("%#v", r.values)
		if seen[id] && !x.options.DryRun {
			return nil
		}
		concerned, err := x.concerns(r)
		if concerned {
			seen[id] = true
			all = append(all, r)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range all {
		if err := x.row(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// concerns reports whether the change changes, drops or reports a row.
func (x *editing) concerns(r found) (bool, error) {
	values := slices.Clone(r.values)
	verdict, err := x.change.Row(values)
	left := slices.ContainsFunc(values, func(v edit.Value) bool { return v.Left != "" })
	return verdict != edit.Keep || left, err
}

// narrow returns the condition for rows that the change may concern.
func (x *editing) narrow() (string, []any) {
	n, ok := x.change.(edit.Narrow)
	if !ok || len(n.Texts()) == 0 {
		return "1 = 1", nil
	}
	var conditions []string
	var args []any
	for _, c := range x.columns {
		for _, text := range n.Texts() {
			conditions = append(conditions, x.db.has(c))
			args = append(args, text)
		}
	}
	return strings.Join(conditions, " OR "), args
}

// has returns the condition that a column has a text, byte for byte.
func (d *Database) has(c schema.Column) string {
	name := d.Quote(c.Name)
	switch d.Dialect() {
	case "mysql":
		return "LOCATE(?, CAST(CONVERT(" + name + " USING utf8mb4) AS BINARY)) > 0"
	case "postgres":
		return "strpos(" + name + "::text, ?) > 0"
	}
	return "instr(" + name + ", ?) > 0"
}

// after returns the condition for rows behind a key in its order.
func (x *editing) after(key []edit.Value) (string, []any) {
	var cases []string
	var args []any
	for i := range x.key {
		var parts []string
		for k := range i + 1 {
			sign := " = ?"
			if k == i {
				sign = " > ?"
			}
			parts = append(parts, x.db.Quote(x.key[k].Name)+sign)
			args = append(args, x.db.argument(x.key[k], key[k]))
		}
		cases = append(cases, "("+strings.Join(parts, " AND ")+")")
	}
	return strings.Join(cases, " OR "), args
}

// list returns the names of columns for a statement.
func (x *editing) list(columns []schema.Column) string {
	var names []string
	for _, c := range columns {
		names = append(names, x.db.Quote(c.Name))
	}
	return strings.Join(names, ", ")
}

func (x *editing) values(columns []schema.Column, row []Text) []edit.Value {
	values := make([]edit.Value, len(columns))
	for i, c := range columns {
		values[i] = x.db.value(c, row[i])
	}
	return values
}
