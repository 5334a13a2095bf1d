package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/sdk"
)

// Config has the settings given under with: in a pipeline. Vault checks them against the
// tags and generates help from them.
type Config struct {
	Columns []string `key:"columns" required:"true" help:"columns to blank, as TABLE.COLUMN without the prefix" example:"[user.email, user.description]"`
	Text    string   `key:"text" help:"replacement for text columns; empty by default"`
}

// Validate checks what the tags can't express. It opens nothing.
func (c *Config) Validate() error {
	for _, name := range c.Columns {
		if table, column, ok := strings.Cut(name, "."); !ok || table == "" || column == "" {
			return sdk.At("columns", "%q is not TABLE.COLUMN", name)
		}
	}
	return nil
}

func declaration() sdk.Stage {
	return sdk.RecordStage("my-stage", "Blanks columns of tables.",
		"A nullable column is set to NULL unless text is given; any other column must hold text.", open)
}

func open(_ context.Context, c *Config, _ sdk.Env) (sdk.RecordTransform, error) {
	return &transform{columns: c.Columns, text: c.Text}, nil
}

// transform is an sdk.RecordTransform. Vault calls it from many goroutines at once.
type transform struct {
	sdk.UnimplementedRecordTransform
	columns []string
	text    string
}

// Table returns how a table changes. It must have no side effects, because vault plan calls
// it too.
func (t *transform) Table(ctx context.Context, table schema.Table, _ string) (stage.Mapped, error) {
	m := stage.Mapped{From: table, Schema: table}
	cells, err := t.cells(&table)
	if err != nil {
		return m, err
	}
	for i, c := range table.Columns {
		if cells[i] != nil {
			m.Rewrite = true // otherwise the rows are not passed to Rows
			m.Notes = append(m.Notes, stage.Note{Path: stage.DB + "/" + table.Name, Text: "column " + c.Name + " is blanked"})
		}
	}
	return m, ctx.Err()
}

// cells returns the replacement for each blanked column, nil for others.
func (t *transform) cells(table *schema.Table) ([][]byte, error) {
	for _, name := range t.columns {
		if of, column, _ := strings.Cut(name, "."); of == table.Name && table.Column(column) == nil {
			return nil, failure.New(failure.Usage, "column %s can't be blanked: table %s has no such column", name, of)
		}
	}
	cells := make([][]byte, len(table.Columns))
	for i, c := range table.Columns {
		name := table.Name + "." + c.Name
		if !slices.Contains(t.columns, name) {
			continue
		}
		text := c.Type.Kind == schema.Text || c.Type.Kind == schema.Char
		switch {
		case unique(table, c.Name):
			return nil, failure.New(failure.Usage, "column %s can't be blanked: it is part of a unique key", name)
		case text && (t.text != "" || !c.Nullable):
			cells[i] = rows.AppendText([]byte{}, t.text)
		case c.Nullable:
			cells[i] = []byte(rows.Null)
		default:
			return nil, failure.New(failure.Usage, "column %s can't be blanked: it is not text and not nullable", name)
		}
	}
	return cells, nil
}

// unique reports whether a column is part of a unique key.
func unique(table *schema.Table, column string) bool {
	return slices.Contains(table.PrimaryKey, column) || slices.ContainsFunc(table.Indexes, func(x schema.Index) bool {
		return x.Unique && slices.ContainsFunc(x.Columns, func(c schema.IndexColumn) bool { return c.Name == column })
	})
}

// Rows appends the rows of c to dst as the table now holds them, and returns how many it
// kept: a transform may leave rows out, and Vault counts them.
func (t *transform) Rows(ctx context.Context, m stage.Mapped, dst []byte, c stage.Chunk) (_ []byte, kept int, err error) {
	cells, err := t.cells(&m.From)
	if err != nil {
		return dst, 0, err
	}
	var row, rest []byte
	var old [][]byte
	ok := true
	for data := c.Data; ctx.Err() == nil; data = rest {
		if row, rest, ok, err = rows.Next(data); err != nil || !ok {
			return dst, kept, err
		}
		if old = rows.Split(old, row); len(old) != len(cells) {
			return dst, 0, fmt.Errorf("table %s: a row has %d columns, not %d", m.From.Name, len(old), len(cells))
		}
		for i, cell := range old {
			if i > 0 {
				dst = append(dst, '\t')
			}
			if cells[i] != nil {
				cell = cells[i]
			}
			dst = append(dst, cell...)
		}
		dst = append(dst, '\n')
		kept++
	}
	return dst, 0, ctx.Err()
}
