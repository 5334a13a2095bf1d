package conformance

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"testing"

	"github.com/lmsvault/vault/core/failure"
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
	// Refuses tells that the transform may refuse a table for a target.
	Refuses bool
	// Process adds the checks that kill. It may be nil.
	Process Process

	effort effort
}

// TableRows is a table and whole rows of it, in the form of package rows.
type TableRows struct {
	Schema schema.Table
	Rows   []byte
}

// Record tests a record transform.
func Record(t *testing.T, f RecordFixture) { runAll(t, RecordChecks(f)) }

// RecordChecks lists the checks of a record transform.
func RecordChecks(f RecordFixture) []Check {
	check := func(id, why string, test func(t testing.TB)) Check {
		return Check{ID: id, Why: why, Run: func(t testing.TB) { leakless(t, f.effort.leakTimeout(), func() { test(t) }) }}
	}
	var checks []Check
	for _, target := range f.Targets {
		to := target
		if to == "" {
			to = "repository"
		}
		checks = append(checks, check("record/to-"+to, "Tables are mapped alike every time, and rows fit the mapped table, one by one as well as together, of every type, with NULLs and escapes, and are counted rightly: else a target refuses them, a restore's proof fails, or rows are lost unseen.",
			func(t testing.TB) {
				for _, table := range f.Tables {
					f.table(t, table, target)
				}
			}))
	}
	checks = append(checks,
		check("record/large", "A row of 64 MiB passes: it must not be left out for its size.", f.large),
		check("record/concurrent", "Rows that are transformed at the same time don't disturb each other: every worker uses the same transform.", f.concurrent),
		check("record/cancelled", "A call whose context has ended returns, with its error or its result: a run that was stopped must stop.", f.cancelled))
	if f.Process != nil {
		checks = append(checks, check("crash/rows", "When the process is killed, calls end with an error or the right rows, and a new transform makes the same of them: half a chunk must not pass for a whole one.", f.crash))
	}
	return checks
}

// mapped maps a table. ok is false if the transform refuses it and may do so.
func (f *RecordFixture) mapped(t testing.TB, r stage.RecordTransform, table schema.Table, target string) (m stage.Mapped, ok bool) {
	t.Helper()
	m, err := r.Table(t.Context(), table, target)
	if f.Refuses && failure.Of(err) == failure.Refused {
		t.Logf("table %s for target %q is refused: %v", table.Name, target, err)
		return m, false
	}
	must(t, fmt.Sprintf("mapping table %s for target %q", table.Name, target), err)
	return m, true
}

func (f *RecordFixture) table(t testing.TB, table TableRows, target string) {
	name := table.Schema.Name
	r := f.Open(t)
	m, ok := f.mapped(t, r, table.Schema, target)
	if !ok {
		return
	}
	again, _ := f.mapped(t, f.Open(t), table.Schema, target)
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
	out, err := transformed(t.Context(), r, m, []byte("before"), data)
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
	if empty, err := transformed(t.Context(), r, m, nil, nil); err != nil || len(empty) > 0 {
		t.Errorf("table %s: no rows become %q, %v", name, empty, err)
	}
	if m.Rewrite && len(table.Rows) > 0 {
		if _, err := transformed(t.Context(), r, m, nil, table.Rows[:len(table.Rows)-1]); err == nil {
			t.Errorf("table %s: a row that is cut off is taken", name)
		}
		if _, err := transformed(t.Context(), r, m, nil, []byte("a\tb\tc\n\\\n")); err == nil {
			t.Errorf("table %s: rows of another table are taken", name)
		}
	}
}

// transformed passes rows through a transform, which must say rightly how many it kept.
func transformed(ctx context.Context, r stage.RecordTransform, m stage.Mapped, dst, data []byte) ([]byte, error) {
	start := len(dst)
	out, kept, err := r.Rows(ctx, m, dst, stage.Chunk{Data: data, Rows: bytes.Count(data, []byte{'\n'})})
	if err != nil {
		return out, err
	}
	if n := bytes.Count(out[min(start, len(out)):], []byte{'\n'}); n != kept {
		return out, fmt.Errorf("table %s: Rows says that it kept %d rows, and gave %d", m.From.Name, kept, n)
	}
	return out, nil
}

// shape checks that rows fit the schema.
func (f *RecordFixture) shape(t testing.TB, table TableRows, s schema.Table, out []byte) {
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
func (f *RecordFixture) pieces(t testing.TB, r stage.RecordTransform, m stage.Mapped, data, whole []byte) {
	var out []byte
	for len(data) > 0 {
		n := bytes.IndexByte(data, '\n') + 1
		var err error
		out, err = transformed(t.Context(), r, m, out, data[:n])
		must(t, "a row of "+m.Schema.Name, err)
		data = data[n:]
	}
	if !bytes.Equal(out, whole) {
		t.Errorf("table %s: rows one by one become other than together", m.Schema.Name)
	}
}
