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

// RecordFixture opens the record transform under test and has tables for it.
type RecordFixture struct {
	Open    func(t testing.TB) stage.RecordTransform
	Tables  []TableRows
	Targets []string // dialects; "" for a repository
	// Filters allows the transform to leave rows out.
	Filters bool
	// Refuses allows the transform to refuse a table for a target, or the plan.
	Refuses bool
	// Facts are added to those of the plan that the transform is prepared with.
	Facts map[string]string
	// Process enables the checks that kill the process. It may be nil.
	Process Process

	effort effort
}

// TableRows is a table and its rows, whole and in the format of package rows.
type TableRows struct {
	Schema schema.Table
	Rows   []byte
}

// Record tests a record transform.
func Record(t *testing.T, f RecordFixture) { runAll(t, RecordChecks(f)) }

// RecordChecks returns the checks of a record transform.
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
		checks = append(checks, check("record/to-"+to, "The same table is mapped the same way each time. Rows of every type, with NULLs and escapes, fit the mapped table, one by one and together, and their count is right. Otherwise the target rejects rows, the proof of a restore fails, or rows are lost silently.",
			func(t testing.TB) {
				for _, table := range f.Tables {
					f.table(t, table, target)
				}
			}))
	}
	checks = append(checks,
		check("record/prepare", "Prepare changes nothing in the plan, reports the same about the same plan, and stops when the run is cancelled. All transforms of a run share the plan.", f.prepare),
		check("record/added", "Added rows are the same each time, fit the mapped table, and have keys of their own from the table's sequence. A retried unit must have the same rows, and a new row of the site must not collide with them.", f.additions),
		check("record/large", "A row of 64 MiB is transformed. It must not be skipped for its size.", f.large),
		check("record/concurrent", "Rows can be transformed concurrently. All workers use the same transform.", f.concurrent),
		check("record/cancelled", "A call whose context has ended returns its error or its result promptly. A cancelled run must stop.", f.cancelled))
	if f.Process != nil {
		checks = append(checks, check("crash/rows", "If the process is killed, calls return an error or the right rows, and a new transform returns the same rows. Part of a chunk must not be taken for all of it.", f.crash))
	}
	return checks
}

// mapped maps a table. ok is false if the transform refuses the table, as the fixture
// allows.
func (f *RecordFixture) mapped(t testing.TB, r stage.RecordTransform, table schema.Table, target string) (m stage.Mapped, ok bool) {
	t.Helper()
	m, err := r.Table(t.Context(), table, target)
	if f.Refuses && failure.Of(err) == failure.Refused {
		t.Logf("table %s is refused for target %q: %v", table.Name, target, err)
		return m, false
	}
	must(t, fmt.Sprintf("mapping table %s for target %q", table.Name, target), err)
	return m, true
}

func (f *RecordFixture) table(t testing.TB, table TableRows, target string) {
	name := table.Schema.Name
	r := f.open(t)
	m, ok := f.mapped(t, r, table.Schema, target)
	if !ok {
		return
	}
	again, _ := f.mapped(t, f.open(t), table.Schema, target)
	if !reflect.DeepEqual(m, again) {
		t.Errorf("table %s is mapped differently the second time:\n%+v\n%+v", name, m, again)
	}
	if !reflect.DeepEqual(m.From, table.Schema) {
		t.Errorf("table %s: From is not the given table", name)
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
	clear(data) // the caller may reuse it
	got, ok := bytes.CutPrefix(out, []byte("before"))
	if !ok {
		t.Fatalf("table %s: Rows does not append", name)
	}
	if !m.Rewrite && !bytes.Equal(got, table.Rows) {
		t.Errorf("table %s: rows change although Rewrite is not set", name)
	}
	f.shape(t, table, m.Schema, got)
	f.pieces(t, r, m, table.Rows, got)
	if empty, err := transformed(t.Context(), r, m, nil, nil); err != nil || len(empty) > 0 {
		t.Errorf("table %s: no rows give %q, %v", name, empty, err)
	}
	if m.Rewrite && len(table.Rows) > 0 {
		if _, err := transformed(t.Context(), r, m, nil, table.Rows[:len(table.Rows)-1]); err == nil {
			t.Errorf("table %s: a truncated row is accepted", name)
		}
		if _, err := transformed(t.Context(), r, m, nil, []byte("a\tb\tc\n\\\n")); err == nil {
			t.Errorf("table %s: rows of another table are accepted", name)
		}
	}
}

// transformed passes rows through a transform and checks the number of rows it reports.
func transformed(ctx context.Context, r stage.RecordTransform, m stage.Mapped, dst, data []byte) ([]byte, error) {
	start := len(dst)
	out, kept, err := r.Rows(ctx, m, dst, stage.Chunk{Data: data, Rows: bytes.Count(data, []byte{'\n'})})
	if err != nil {
		return out, err
	}
	if n := bytes.Count(out[min(start, len(out)):], []byte{'\n'}); n != kept {
		return out, fmt.Errorf("table %s: Rows reports %d rows but returned %d", m.From.Name, kept, n)
	}
	return out, nil
}

// shape checks that rows fit the schema.
func (f *RecordFixture) shape(t testing.TB, table TableRows, s schema.Table, out []byte) {
	var cells [][]byte
	n := bytes.Count(out, []byte{'\n'})
	if before := bytes.Count(table.Rows, []byte{'\n'}); n > before || n < before && !f.Filters {
		t.Errorf("table %s: %d rows give %d", s.Name, before, n)
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
			t.Errorf("table %s has %d columns, but a row has %d cells: %q", s.Name, len(s.Columns), len(cells), row)
		}
	}
}

// pieces checks that rows give the same result one by one and together.
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
		t.Errorf("table %s: rows one by one give a different result than together", m.Schema.Name)
	}
}
