package conformance

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// notes returns a table whose rows may have any size.
func notes() schema.Table {
	return schema.Table{Name: "notes", Dialect: "mysql", PrimaryKey: []string{"id"}, Columns: []schema.Column{
		{Name: "id", Native: "bigint", Type: schema.Type{Kind: schema.Int, Size: 8}},
		{Name: "body", Native: "longtext", Nullable: true, Type: schema.Type{Kind: schema.Text}},
	}}
}

// large transforms one row of the size given by effort.large.
func (f *RecordFixture) large(t testing.TB) {
	large := f.effort.large()
	data := append(slices.Grow([]byte("1\t"), large), bytes.Repeat([]byte("0123456789\\\\abcd"), large/16)...)
	data = append(data, '\n')
	for _, target := range f.Targets {
		r := f.open(t)
		m, ok := f.mapped(t, r, notes(), target)
		if !ok {
			continue
		}
		got, err := transformed(t.Context(), r, m, nil, data)
		must(t, "large row", err)
		if !m.Rewrite && !bytes.Equal(got, data) {
			t.Errorf("a row of %d bytes becomes one of %d although Rewrite is not set", len(data), len(got))
		}
		row, rest, ok, err := rows.Next(got)
		if err != nil || len(rest) > 0 || !ok && !f.Filters {
			t.Errorf("a row of %d bytes is not returned as one row: %d bytes followed by %d (%v)", len(data), len(row), len(rest), err)
		}
		if cells := rows.Split(nil, row); ok && len(cells) != len(m.Schema.Columns) {
			t.Errorf("a large row of %d columns has %d cells", len(m.Schema.Columns), len(cells))
		}
	}
}

func (f *RecordFixture) concurrent(t testing.TB) {
	r := f.open(t)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, target := range f.Targets {
		for _, table := range f.Tables {
			m, ok := f.mapped(t, r, table.Schema, target)
			if !ok {
				continue
			}
			want, err := transformed(t.Context(), r, m, nil, table.Rows)
			must(t, table.Schema.Name, err)
			for range 4 {
				wg.Go(func() {
					if got, err := transformed(t.Context(), r, m, nil, table.Rows); err != nil || !bytes.Equal(got, want) {
						t.Errorf("table %s differs when transformed concurrently: %v", table.Schema.Name, err)
					}
				})
			}
		}
	}
}

// work returns a mapped table that the transform accepts and rows of about size bytes. It
// prefers tables whose rows change.
func (f *RecordFixture) work(t testing.TB, r stage.RecordTransform, size int) (m stage.Mapped, data []byte) {
	for _, target := range f.Targets {
		for _, table := range f.Tables {
			if len(table.Rows) == 0 || m.Rewrite {
				continue
			}
			if next, ok := f.mapped(t, r, table.Schema, target); ok && (data == nil || next.Rewrite) {
				m, data = next, table.Rows
			}
		}
	}
	if data == nil {
		t.Skip("the transform refuses every table")
	}
	return m, bytes.Repeat(data, 1+size/len(data))
}

// cancelled accepts either result, since a transform may finish before it checks its
// context.
func (f *RecordFixture) cancelled(t testing.TB) {
	r := f.open(t)
	m, data := f.work(t, r, 1<<20)
	want, err := transformed(t.Context(), r, m, nil, data)
	must(t, "rows", err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = promptly(t, "table with a cancelled context", func() error { _, err := r.Table(ctx, m.From, m.Schema.Dialect); return err })
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("table with a cancelled context: %v", err)
	}
	var got []byte
	err = promptly(t, "rows with a cancelled context", func() (err error) { got, err = transformed(ctx, r, m, nil, data); return err })
	if err != nil && !errors.Is(err, context.Canceled) || err == nil && !bytes.Equal(got, want) {
		t.Errorf("rows with a cancelled context: %d of %d bytes, %v", len(got), len(want), err)
	}
}

// crash kills the process while rows are transformed.
func (f *RecordFixture) crash(t testing.TB) {
	r := f.open(t)
	m, data := f.work(t, r, f.effort.disturbed())
	start := time.Now()
	want, err := transformed(t.Context(), r, m, nil, data)
	must(t, "rows", err)
	took := time.Since(start)
	for n := range steps {
		var got []byte
		err := during(t, "rows", moment(n, took), f.Process.Kill, func() (err error) { got, err = transformed(t.Context(), r, m, nil, data); return err })
		if err != nil {
			t.Logf("a call whose process was killed: %v", err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("a call whose process was killed returns %d of %d bytes without an error", len(got), len(want))
		}
		r = f.open(t)
		if got, err = transformed(t.Context(), r, m, nil, data); err != nil || !bytes.Equal(got, want) {
			t.Errorf("after the process was killed, rows give a different result: %d of %d bytes (%v)", len(got), len(want), err)
		}
	}
}
