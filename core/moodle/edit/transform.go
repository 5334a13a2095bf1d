package edit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Transform applies an Edit to the rows of a run. It is safe for concurrent use.
type Transform struct {
	stage.UnimplementedRecordTransform
	edit Edit

	mu     sync.Mutex
	tables map[string]*table
	left   map[string]*leftOf
}

var (
	_ stage.Preparer = (*Transform)(nil)
	_ stage.Adder    = (*Transform)(nil)
	_ stage.Noter    = (*Transform)(nil)
)

// NewTransform returns a transform that applies an Edit.
func NewTransform(e Edit) *Transform {
	return &Transform{edit: e, tables: map[string]*table{}, left: map[string]*leftOf{}}
}

// table is how one table is changed.
type table struct {
	name    string
	width   int // columns
	columns []int
	names   []string // of columns
	key     []int
	keys    []string // names of key
	change  Change   // nil for none
	search  *search
	added   []byte // rows, encoded
	addedN  int
}

// Prepare prepares the Edit.
func (t *Transform) Prepare(ctx context.Context, p *stage.Plan) (stage.Findings, error) {
	if e, ok := t.edit.(Preparer); ok {
		return e.Prepare(ctx, p)
	}
	return stage.Findings{}, nil
}

// Table asks the Edit what changes in a table, and prepares the rows that it adds.
func (t *Transform) Table(ctx context.Context, from schema.Table, _ string) (stage.Mapped, error) {
	m := stage.Mapped{From: from, Schema: from}
	change, err := t.edit.Table(ctx, &from)
	if err != nil {
		return m, err
	}
	if change == nil {
		t.announce(&from, &table{})
		return m, nil
	}
	own := &table{name: from.Name, width: len(from.Columns), columns: change.Columns(), key: from.Key(), change: change}
	own.names, own.keys = names(&from, own.columns), names(&from, own.key)
	if n, ok := change.(Narrow); ok {
		own.search = newSearch(n.Texts())
	}
	if own.addedN = len(change.Added()); own.addedN > 0 {
		if own.added, m.Schema.Sequence, err = encode(&from, change.Added()); err != nil {
			return m, err
		}
	}
	m.Rewrite, m.Adds = len(own.columns) > 0, own.addedN > 0
	t.announce(&from, own)
	return m, nil
}

func (t *Transform) announce(from *schema.Table, own *table) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tables[key(from)] = own
}

// key identifies a table as one target gets it.
func key(t *schema.Table) string { return t.Dialect + "/" + t.Name }

func names(t *schema.Table, columns []int) []string {
	var list []string
	for _, i := range columns {
		list = append(list, t.Columns[i].Name)
	}
	return list
}

// of returns how the table of m is changed.
func (t *Transform) of(m stage.Mapped) (*table, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.tables[key(&m.From)]
	if own == nil {
		return nil, fmt.Errorf("table %s was not announced to the transform", m.From.Name)
	}
	return own, nil
}

// Rows changes and drops rows, as the Edit says.
func (t *Transform) Rows(ctx context.Context, m stage.Mapped, dst []byte, c stage.Chunk) ([]byte, int, error) {
	own, err := t.of(m)
	if err != nil {
		return dst, 0, err
	}
	data := string(c.Data) // values are parts of it
	if own.change == nil {
		return append(dst, c.Data...), c.Rows, nil
	}
	if !own.search.in(data) {
		if err := own.fits(c.Data); err != nil {
			return dst, 0, err
		}
		return append(dst, c.Data...), c.Rows, nil
	}
	r := rewriter{table: own, dst: dst, values: make([]Value, len(own.columns))}
	for data != "" {
		row, rest, whole := strings.Cut(data, "\n")
		if !whole {
			return dst, 0, errCut
		}
		if err := r.row(row); err != nil {
			return dst, 0, err
		}
		data = rest
	}
	t.leave(own.name, r.left)
	stage.CountChanged(ctx, r.changed)
	return r.dst, r.kept, nil
}

// fits returns an error if the rows of a chunk can't be those of the table.
func (t *table) fits(data []byte) error {
	rows := bytes.Count(data, []byte{'\n'})
	switch {
	case len(data) > 0 && data[len(data)-1] != '\n':
		return errCut
	case bytes.Count(data, []byte{'\t'}) != rows*(t.width-1):
		return fmt.Errorf("%d rows do not have %d columns each", rows, t.width)
	}
	return nil
}

var errCut = errors.New("the last row is cut off")

// rewriter changes the rows of one chunk.
type rewriter struct {
	*table
	dst     []byte
	cells   []string
	values  []Value
	kept    int
	changed int64
	left    []Left
}

// row appends a row as it is to be.
func (r *rewriter) row(row string) error {
	if !r.search.in(row) {
		return r.keep(row)
	}
	r.cells = split(r.cells, row)
	if len(r.cells) != r.width {
		return fmt.Errorf("a row has %d columns instead of %d", len(r.cells), r.width)
	}
	for i, at := range r.columns {
		v, err := value(r.cells[at])
		if err != nil {
			return fmt.Errorf("%s: column %s: %w", r.where(), r.names[i], err)
		}
		r.values[i] = v
	}
	verdict, err := r.change.Row(r.values)
	if err != nil {
		return fmt.Errorf("%s: %w", r.where(), err)
	}
	for i, v := range r.values {
		if v.Left != "" {
			r.left = append(r.left, Left{Table: r.name, Column: r.names[i], Key: r.where(), Reason: v.Left})
		}
	}
	switch verdict {
	case Drop:
		return nil
	case Changed:
		r.changed++
		r.kept++
		r.rewrite()
		return nil
	}
	return r.keep(row)
}

func (r *rewriter) keep(row string) error {
	r.kept++
	r.dst = append(append(r.dst, row...), '\n')
	return nil
}

// rewrite appends the row with its changed values.
func (r *rewriter) rewrite() {
	for i, cell := range r.cells {
		if i > 0 {
			r.dst = append(r.dst, '\t')
		}
		if k := slices.Index(r.columns, i); k >= 0 {
			r.dst = appendValue(r.dst, r.values[k])
		} else {
			r.dst = append(r.dst, cell...)
		}
	}
	r.dst = append(r.dst, '\n')
}

// where returns the key of the row, for messages.
func (r *rewriter) where() string {
	var parts []string
	for i, at := range r.key {
		parts = append(parts, r.keys[i]+"="+r.cells[at])
	}
	return strings.Join(parts, " ")
}

// Added appends the rows that the Edit adds.
func (t *Transform) Added(_ context.Context, m stage.Mapped, dst []byte) ([]byte, int, error) {
	own, err := t.of(m)
	if err != nil {
		return dst, 0, err
	}
	return append(dst, own.added...), own.addedN, nil
}

// split appends the cells of a row to dst[:0].
func split(dst []string, row string) []string {
	dst = dst[:0]
	for {
		cell, rest, more := strings.Cut(row, "\t")
		dst = append(dst, cell)
		if !more {
			return dst
		}
		row = rest
	}
}

// value returns the value of a cell.
func value(cell string) (Value, error) {
	switch {
	case cell == rows.Null:
		return Value{Null: true}, nil
	case strings.IndexByte(cell, '\\') < 0:
		return Value{Text: cell}, nil
	}
	text, err := rows.Unescape(nil, []byte(cell))
	return Value{Text: string(text)}, err
}

func appendValue(dst []byte, v Value) []byte {
	if v.Null {
		return append(dst, rows.Null...)
	}
	return rows.AppendText(dst, v.Text)
}
