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

// Config is what with: may hold in a pipeline. Vault checks values against the
// tags, and makes its help of them.
type Config struct {
	Columns []string `key:"columns" required:"true" help:"the columns to blank, as TABLE.COLUMN without the prefix" example:"[user.email, user.description]"`
	Text    string   `key:"text" help:"what stands in a text column instead; nothing if it isn't given"`
}

// Validate finds what the tags can't say. It opens nothing.
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
		"A column that may be NULL becomes NULL, unless text is given; another must be one of text.", open)
}

func open(_ context.Context, c *Config, _ sdk.Env) (sdk.RecordTransform, error) {
	return &transform{columns: c.Columns, text: c.Text}, nil
}

// transform is the sdk.RecordTransform. Vault calls it from many goroutines at once.
type transform struct {
	sdk.UnimplementedRecordTransform
	columns []string
	text    string
}

// Table tells what becomes of a table. It has no effect: Vault asks for plans too.
func (t *transform) Table(ctx context.Context, table schema.Table, _ string) (stage.Mapped, error) {
	m := stage.Mapped{From: table, Schema: table}
	cells, err := t.cells(&table)
	if err != nil {
		return m, err
	}
	for i, c := range table.Columns {
		if cells[i] != nil {
			m.Rewrite = true // else the rows don't come here at all
			m.Notes = append(m.Notes, stage.Note{Path: stage.DB + "/" + table.Name, Text: "column " + c.Name + " is blanked"})
		}
	}
	return m, ctx.Err()
}

// cells are what the columns that are blanked hold, nil for others.
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
			return nil, failure.New(failure.Usage, "column %s can't be blanked: it is in a key whose values must differ", name)
		case text && (t.text != "" || !c.Nullable):
			cells[i] = rows.AppendText([]byte{}, t.text)
		case c.Nullable:
			cells[i] = []byte(rows.Null)
		default:
			return nil, failure.New(failure.Usage, "column %s can't be blanked: it holds no text, and must not be NULL", name)
		}
	}
	return cells, nil
}

// unique tells whether rows are told apart by a column.
func unique(table *schema.Table, column string) bool {
	return slices.Contains(table.PrimaryKey, column) || slices.ContainsFunc(table.Indexes, func(x schema.Index) bool {
		return x.Unique && slices.ContainsFunc(x.Columns, func(c schema.IndexColumn) bool { return c.Name == column })
	})
}

// Rows appends the rows of c to dst as the table holds them now, and tells how many
// it kept: a transform may leave rows out, and Vault counts them.
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
