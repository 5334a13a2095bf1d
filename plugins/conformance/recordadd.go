package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// plan returns a plan with the tables of the fixture.
func (f *RecordFixture) plan() *stage.Plan {
	p := &stage.Plan{Pipeline: "conformance", Parts: []string{stage.DB}, Workers: 3, Facts: map[string]string{"dialect": "mysql", "prefix": "mdl_"}}
	maps.Copy(p.Facts, f.Facts)
	for _, table := range f.Tables {
		n := int64(bytes.Count(table.Rows, []byte{'\n'}))
		p.Tables = append(p.Tables, stage.TableInfo{Schema: table.Schema, Rows: n, Bytes: int64(len(table.Rows))})
		p.Bytes += int64(len(table.Rows))
	}
	return p
}

// open opens the transform and prepares it. It skips the check if the transform refuses the
// plan, as the fixture allows.
func (f *RecordFixture) open(t testing.TB) stage.RecordTransform {
	t.Helper()
	r := f.Open(t)
	p, ok := r.(stage.Preparer)
	if !ok {
		return r
	}
	found, err := p.Prepare(t.Context(), f.plan())
	if f.Refuses && failure.Of(err) == failure.Refused {
		t.Skipf("the transform refuses the sample tables: %v", err)
	}
	must(t, "preparing the transform", err)
	for _, l := range found.Losses {
		if err := checkLoss(l); err != nil {
			t.Error(err)
		}
	}
	return r
}

// prepare checks Prepare.
func (f *RecordFixture) prepare(t testing.TB) {
	p, ok := f.Open(t).(stage.Preparer)
	if !ok {
		t.Skip("the transform is not a stage.Preparer")
	}
	plan := f.plan()
	first, err := p.Prepare(t.Context(), plan)
	if f.Refuses && failure.Of(err) == failure.Refused {
		t.Skipf("the transform refuses the sample tables: %v", err)
	}
	must(t, "preparing the transform", err)
	if !reflect.DeepEqual(plan, f.plan()) {
		t.Errorf("Prepare changed the plan to\n%+v\nfrom\n%+v", plan, f.plan())
	}
	other, ok := f.Open(t).(stage.Preparer)
	if !ok {
		t.Fatal("the transform is a stage.Preparer only sometimes")
	}
	second, err := other.Prepare(t.Context(), f.plan())
	must(t, "preparing another transform", err)
	if !reflect.DeepEqual(first, second) {
		t.Errorf("another transform reports something else about the same plan:\n%+v\n%+v", first, second)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cut, ok := f.Open(t).(stage.Preparer)
	if !ok {
		t.Fatal("the transform is a stage.Preparer only sometimes")
	}
	err = promptly(t, "preparing with a cancelled context", func() error { _, err := cut.Prepare(ctx, f.plan()); return err })
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("preparing with a cancelled context: %v", err)
	}
}

// additions checks the rows that the transform adds to any table.
func (f *RecordFixture) additions(t testing.TB) {
	adds := false
	for _, target := range f.Targets {
		for _, table := range f.Tables {
			r := f.open(t)
			m, ok := f.mapped(t, r, table.Schema, target)
			if !ok || !m.Adds {
				continue
			}
			adds = true
			f.added(t, r, m, table, target)
		}
	}
	if !adds {
		t.Skip("the transform adds no rows to the tables of the fixture")
	}
}

// added checks the rows that the transform adds to one table.
func (f *RecordFixture) added(t testing.TB, r stage.RecordTransform, m stage.Mapped, table TableRows, target string) {
	name := table.Schema.Name
	first, err := addition(t.Context(), r, m, []byte("before"))
	must(t, "rows added to "+name, err)
	got, ok := bytes.CutPrefix(first, []byte("before"))
	if !ok {
		t.Fatalf("table %s: Added does not append", name)
	}
	again, err := addition(t.Context(), r, m, nil)
	must(t, "rows added to "+name+" again", err)
	other := f.open(t)
	same, _ := f.mapped(t, other, table.Schema, target)
	elsewhere, err := addition(t.Context(), other, same, nil)
	must(t, "rows added to "+name+" by another transform", err)
	if !bytes.Equal(got, again) || !bytes.Equal(got, elsewhere) {
		t.Errorf("table %s: the rows added are not the same each time, but a unit may be retried:\n%q\n%q\n%q", name, got, again, elsewhere)
	}
	read := table.Rows
	if m.Rewrite {
		read, err = transformed(t.Context(), r, m, nil, table.Rows)
		must(t, "rows of "+name, err)
	}
	keys := map[string]bool{}
	for _, row := range split(t, m.Schema, read) {
		keys[keyOf(m.Schema, row)] = true
	}
	for _, row := range split(t, m.Schema, got) {
		key := keyOf(m.Schema, row)
		if len(m.Schema.PrimaryKey) > 0 && keys[key] {
			t.Errorf("table %s: an added row has the key %s of another row", name, key)
		}
		keys[key] = true
		if err := numbered(m, row); err != nil {
			t.Errorf("table %s: %v", name, err)
		}
	}
}

// addition returns the rows that the transform adds and checks the number that it reports.
func addition(ctx context.Context, r stage.RecordTransform, m stage.Mapped, dst []byte) ([]byte, error) {
	a, ok := r.(stage.Adder)
	if !ok {
		return dst, errors.New("Mapped.Adds is set, but the transform is not a stage.Adder")
	}
	start := len(dst)
	out, n, err := a.Added(ctx, m, dst)
	if err != nil {
		return out, err
	}
	if lines := bytes.Count(out[min(start, len(out)):], []byte{'\n'}); lines != n {
		return out, fmt.Errorf("reported %d rows but returned %d", n, lines)
	}
	return out, nil
}

// split returns the cells of rows that fit a table.
func split(t testing.TB, s schema.Table, data []byte) (all [][][]byte) {
	for {
		row, rest, ok, err := rows.Next(data)
		if err != nil {
			t.Errorf("table %s: %v", s.Name, err)
		}
		if !ok {
			return all
		}
		data = rest
		cells := rows.Split(nil, row)
		if len(cells) != len(s.Columns) {
			t.Errorf("table %s has %d columns, but an added row has %d cells: %q", s.Name, len(s.Columns), len(cells), row)
			continue
		}
		all = append(all, cells)
	}
}

// keyOf returns the primary key of a row.
func keyOf(s schema.Table, cells [][]byte) string {
	var key []byte
	for _, name := range s.PrimaryKey {
		for i, c := range s.Columns {
			if c.Name == name {
				key = append(append(key, cells[i]...), '\t')
			}
		}
	}
	return string(bytes.TrimSuffix(key, []byte{'\t'}))
}

// numbered checks that the number of an added row comes from the table's sequence.
func numbered(m stage.Mapped, cells [][]byte) error {
	from, to := m.From.Sequence, m.Schema.Sequence
	if from == nil || to == nil || from.Column != to.Column {
		return nil
	}
	for i, c := range m.Schema.Columns {
		if c.Name != to.Column {
			continue
		}
		n, err := strconv.ParseUint(string(cells[i]), 10, 64)
		if err != nil || n < from.Next || n >= to.Next {
			return fmt.Errorf("an added row has the number %s, which must be at least %d, the next one of the source's sequence, and below %d, that of Mapped.Schema", cells[i], from.Next, to.Next)
		}
	}
	return nil
}
