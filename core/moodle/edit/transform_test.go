package edit_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// shout is an Edit that changes the texts of a table: it writes "hello" as "HELLO", drops
// rows with "gone", reports "stuck", and adds rows.
type shout struct {
	texts []string
	added []map[string]edit.Value
}

func (s shout) Table(_ context.Context, t *schema.Table) (edit.Change, error) {
	if t.Name != "page" {
		return nil, nil
	}
	return s, nil
}

func (s shout) Columns() []int                 { return []int{2, 1} }
func (s shout) Texts() []string                { return s.texts }
func (s shout) Added() []map[string]edit.Value { return s.added }

func (s shout) Row(values []edit.Value) (edit.Verdict, error) {
	verdict := edit.Keep
	for i, v := range values {
		switch {
		case v.Null:
		case v.Text == "broken":
			return 0, errors.New("broken")
		case strings.Contains(v.Text, "gone"):
			return edit.Drop, nil
		case strings.Contains(v.Text, "stuck"):
			values[i].Left = "it is stuck"
		case strings.Contains(v.Text, "hello"):
			values[i].Text = strings.ReplaceAll(v.Text, "hello", "HELLO")
			verdict = edit.Changed
		}
	}
	return verdict, nil
}

func page() schema.Table {
	return schema.Table{
		Name: "page", Dialect: "mysql", PrimaryKey: []string{"id"}, Sequence: &schema.Sequence{Column: "id", Next: 10},
		Columns: []schema.Column{
			{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}},
			{Name: "name", Type: schema.Type{Kind: schema.Char, Length: 255}, Default: &schema.Default{}},
			{Name: "body", Type: schema.Type{Kind: schema.Text}, Nullable: true},
			{Name: "size", Type: schema.Type{Kind: schema.Int, Size: 8}, Default: &schema.Default{Value: "7"}},
		},
	}
}

const before = "1\thello\t\\N\t0\n" +
	"2\tname\thello\\n\\\\N and hello\t0\n" +
	"3\tname\tother\\t\\\\\t0\n" +
	"4\tgone\thello\t0\n" +
	"5\tstuck\thello\t0\n" +
	"6\t\\N\t\\N\t0\n"

const after = "1\tHELLO\t\\N\t0\n" +
	"2\tname\tHELLO\\n\\\\N and HELLO\t0\n" +
	"3\tname\tother\\t\\\\\t0\n" +
	"5\tstuck\tHELLO\t0\n" +
	"6\t\\N\t\\N\t0\n"

// Rows that an edit does not concern stay byte for byte, others are changed, dropped and
// reported, whether or not the edit says which texts it looks for.
func TestRowsAreEditedOnTheirWay(t *testing.T) {
	for name, texts := range map[string][]string{
		"all rows":       nil,
		"rows with text": {"hello", "gone", "stuck"},
		"odd text":       {"hello", "gone", "stuck", "\\"},
		"short text":     {"hello", "gone", "stuck", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			x := edit.NewTransform(shout{texts: texts})
			m, err := x.Table(t.Context(), page(), "")
			if err != nil || !m.Rewrite || m.Adds {
				t.Fatalf("the table is %+v (%v)", m, err)
			}
			var changed int64
			ctx := stage.WithChanged(t.Context(), func(n int64) { changed += n })
			for range 2 { // as when a unit is read again
				data, kept, err := x.Rows(ctx, m, []byte("x"), stage.Chunk{Data: []byte(before), Rows: 6})
				if err != nil || kept != 5 || string(data) != "x"+after {
					t.Errorf("%d rows are\n%s (%v)", kept, data, err)
				}
			}
			if changed != 6 {
				t.Errorf("%d rows are counted as changed in two attempts", changed)
			}
			notes, err := x.Notes(ctx)
			if err != nil || len(notes) != 1 || notes[0] != (stage.Note{Path: "db/page", Text: "id=5 column name was left unchanged: it is stuck"}) {
				t.Errorf("the notes are %+v (%v)", notes, err)
			}
			if data, kept, err := x.Rows(ctx, m, nil, stage.Chunk{Data: []byte(after), Rows: 5}); err != nil || kept != 5 || string(data) != after {
				t.Errorf("edited again, %d rows are\n%s (%v)", kept, data, err)
			}
		})
	}
	x := edit.NewTransform(shout{})
	if m, err := x.Table(t.Context(), schema.Table{Name: "other"}, ""); err != nil || m.Rewrite || m.Adds {
		t.Errorf("a table without a change is %+v (%v)", m, err)
	}
}

func TestBrokenRowsAreErrorsThatNameTheRow(t *testing.T) {
	x := edit.NewTransform(shout{})
	m, err := x.Table(t.Context(), page(), "")
	if err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]string{
		"7\tbroken\t\\N\t0\n":       "id=7: broken",
		"8\tname\tbad \\q\t0\n":     "id=8: column body",
		"9\tname\n":                 "2 columns instead of 4",
		"9\tname\t\\N\t0\n10\tcut ": "cut off",
	} {
		if _, _, err := x.Rows(t.Context(), m, nil, stage.Chunk{Data: []byte(data), Rows: 1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v instead of %q", err, want)
		}
	}
}

// Added rows get the next numbers and the defaults of columns that they do not give.
func TestRowsAreAdded(t *testing.T) {
	source := page()
	x := edit.NewTransform(shout{added: []map[string]edit.Value{
		{"name": {Text: "new\n"}},
		{"name": {Text: "newer"}, "body": {Text: "b"}, "size": {Text: "8"}},
		{"id": {Text: "20"}},
	}})
	m, err := x.Table(t.Context(), source, "")
	if err != nil || !m.Adds || m.Schema.Sequence.Next != 21 || source.Sequence.Next != 10 {
		t.Fatalf("the table is %+v (%v)", m, err)
	}
	data, n, err := x.Added(t.Context(), m, nil)
	if want := "10\tnew\\n\t\\N\t7\n11\tnewer\tb\t8\n20\t\t\\N\t7\n"; err != nil || n != 3 || string(data) != want {
		t.Errorf("%d rows are\n%s (%v)", n, data, err)
	}
	for want, c := range map[string]struct {
		row    map[string]edit.Value
		change func(*schema.Table)
	}{
		"column name": {map[string]edit.Value{}, func(t *schema.Table) { t.Columns[1].Default = nil }},
		"column id":   {map[string]edit.Value{}, func(t *schema.Table) { t.Sequence = nil }},
		"column size": {map[string]edit.Value{}, func(t *schema.Table) { t.Columns[3].Default = &schema.Default{Value: "now()", Expr: true} }},
		"no column x": {map[string]edit.Value{"x": {}}, func(*schema.Table) {}},
	} {
		table := page()
		c.change(&table)
		_, err := edit.NewTransform(shout{added: []map[string]edit.Value{c.row}}).Table(t.Context(), table, "")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v instead of %q", err, want)
		}
	}
}

// Rows that an edit does not concern cost no memory.
func TestUnchangedRowsAreNotAllocated(t *testing.T) {
	data := []byte(strings.Repeat("1\tname\tsome body\t0\n", 1000))
	dst := make([]byte, 0, 2*len(data))
	x := edit.NewTransform(shout{})
	m, err := x.Table(t.Context(), page(), "")
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() {
		if _, _, err := x.Rows(t.Context(), m, dst[:0], stage.Chunk{Data: data, Rows: 1000}); err != nil {
			t.Error(err)
		}
	}); n > 20 {
		t.Errorf("%v allocations for 1000 rows", n)
	}
}
