package conformance

import (
	"bytes"
	"reflect"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// RecordFixture makes a record transform and has tables for it.
type RecordFixture struct {
	Open    func(t testing.TB) stage.RecordTransform
	Tables  []TableRows
	Targets []string // dialects, "" for a repository
	// Filters tells that the transform may leave rows out.
	Filters bool
}

// TableRows is a table and whole rows of it, in the form of package rows.
type TableRows struct {
	Schema schema.Table
	Rows   []byte
}

// Record tests a record transform.
func Record(t *testing.T, f RecordFixture) {
	for _, target := range f.Targets {
		t.Run("to "+target, func(t *testing.T) {
			leakless(t, func() {
				for _, table := range f.Tables {
					f.table(t, table, target)
				}
			})
		})
	}
	t.Run("concurrent", func(t *testing.T) { f.concurrent(t) })
}

func (f *RecordFixture) table(t *testing.T, table TableRows, target string) {
	name := table.Schema.Name
	r := f.Open(t)
	m, err := r.Table(t.Context(), table.Schema, target)
	must(t, name, err)
	again, err := f.Open(t).Table(t.Context(), table.Schema, target)
	must(t, name, err)
	if !reflect.DeepEqual(m, again) {
		t.Errorf("table %s is mapped in two ways:\n%+v\n%+v", name, m, again)
	}
	if !reflect.DeepEqual(m.From, table.Schema) {
		t.Errorf("table %s: From is not the table that was given", name)
	}
	for _, l := range m.Losses {
		if err := checkLoss(l); err != nil {
			t.Errorf("table %s: %v", name, err)
		}
	}
	data := bytes.Clone(table.Rows)
	out, err := r.Rows(t.Context(), m, []byte("before"), data)
	must(t, "rows of "+name, err)
	if !bytes.Equal(data, table.Rows) {
		t.Errorf("table %s: Rows changes its input", name)
	}
	clear(data) // belongs to the caller again
	got, ok := bytes.CutPrefix(out, []byte("before"))
	if !ok {
		t.Fatalf("table %s: Rows does not append", name)
	}
	if !m.Rewrite && !bytes.Equal(got, table.Rows) {
		t.Errorf("table %s: rows change, and Rewrite is not set", name)
	}
	f.shape(t, table, m.Schema, got)
	f.pieces(t, r, m, table.Rows, got)
	if empty, err := r.Rows(t.Context(), m, nil, nil); err != nil || len(empty) > 0 {
		t.Errorf("table %s: no rows become %q, %v", name, empty, err)
	}
	if m.Rewrite && len(table.Rows) > 0 {
		if _, err := r.Rows(t.Context(), m, nil, table.Rows[:len(table.Rows)-1]); err == nil {
			t.Errorf("table %s: a row that is cut off is taken", name)
		}
		if _, err := r.Rows(t.Context(), m, nil, []byte("a\tb\tc\n\\\n")); err == nil {
			t.Errorf("table %s: rows of another table are taken", name)
		}
	}
}

// shape checks that rows fit the schema.
func (f *RecordFixture) shape(t *testing.T, table TableRows, s schema.Table, out []byte) {
	var cells [][]byte
	n := bytes.Count(out, []byte{'\n'})
	if before := bytes.Count(table.Rows, []byte{'\n'}); n > before || n < before && !f.Filters {
		t.Errorf("table %s: %d rows become %d", s.Name, before, n)
	}
	for {
		row, rest, ok, err := rows.Next(out)
		if err != nil {
			t.Errorf("table %s: %v", s.Name, err)
		}
		if !ok {
			return
		}
		out = rest
		if cells = rows.Split(cells, row); len(cells) != len(s.Columns) {
			t.Errorf("table %s has %d columns, and a row %d cells: %q", s.Name, len(s.Columns), len(cells), row)
		}
	}
}

// pieces checks that rows are transformed alike alone and together.
func (f *RecordFixture) pieces(t *testing.T, r stage.RecordTransform, m stage.Mapped, data, whole []byte) {
	var out []byte
	for len(data) > 0 {
		n := bytes.IndexByte(data, '\n') + 1
		var err error
		out, err = r.Rows(t.Context(), m, out, data[:n])
		must(t, "a row of "+m.Schema.Name, err)
		data = data[n:]
	}
	if !bytes.Equal(out, whole) {
		t.Errorf("table %s: rows one by one become other than together", m.Schema.Name)
	}
}

func (f *RecordFixture) concurrent(t *testing.T) {
	r := f.Open(t)
	var wg sync.WaitGroup
	for _, target := range f.Targets {
		for _, table := range f.Tables {
			m, err := r.Table(t.Context(), table.Schema, target)
			must(t, table.Schema.Name, err)
			want, err := r.Rows(t.Context(), m, nil, table.Rows)
			must(t, table.Schema.Name, err)
			for range 4 {
				wg.Go(func() {
					if got, err := r.Rows(t.Context(), m, nil, table.Rows); err != nil || !bytes.Equal(got, want) {
						t.Errorf("table %s is not the same when transformed beside others: %v", table.Schema.Name, err)
					}
				})
			}
		}
	}
	wg.Wait()
}
