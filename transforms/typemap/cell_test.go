package typemap

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

func flags(t testing.TB) (stage.RecordTransform, stage.Mapped) {
	t.Helper()
	x := New(Config{})
	m, err := x.Table(t.Context(), schema.Table{Name: "flags", Dialect: postgres, Columns: []schema.Column{
		{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}},
		{Name: "on", Type: schema.Type{Kind: schema.Bool}, Nullable: true},
		{Name: "body", Type: schema.Type{Kind: schema.Text}, Nullable: true},
	}}, mysql)
	if err != nil {
		t.Fatal(err)
	}
	return x, m
}

func TestRowsOfBooleans(t *testing.T) {
	x, m := flags(t)
	if !m.Rewrite {
		t.Error("a table with a boolean must pass through Rows")
	}
	got, _, err := x.Rows(t.Context(), m, []byte("before\n"), chunk([]byte("1\tt\tt\n2\tf\t\n3\t\\N\t\\N\n4\tt\ta\\tb\\\\N\n")))
	if want := "before\n1\t1\tt\n2\t0\t\n3\t\\N\t\\N\n4\t1\ta\\tb\\\\N\n"; err != nil || string(got) != want {
		t.Errorf("rows are %q, %v, want %q", got, err, want)
	}
}

func TestRowsOfYears(t *testing.T) {
	x := New(Config{})
	m, err := x.Table(t.Context(), schema.Table{Name: "y", Dialect: mysql, Columns: []schema.Column{{Name: "y", Type: schema.Type{Kind: schema.Year}}}}, postgres)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := x.Rows(t.Context(), m, nil, chunk([]byte("0000\n1901\n2155\n\\N\n")))
	if err != nil || string(got) != "0\n1901\n2155\n\\N\n" {
		t.Errorf("years are %q, %v", got, err)
	}
}

func TestInvalidRowsAreErrors(t *testing.T) {
	x, m := flags(t)
	for data, want := range map[string]string{
		"1\tt\n":                "table flags: row 1 of a chunk does not have 3 cells",
		"1\tt\ta\n1\tt\ta\tb\n": "table flags: row 2 of a chunk does not have 3 cells",
		"1\ttrue\ta\n":          `table flags column on: "true" in row 1 of a chunk is not a bool`,
		"1\tt\ta":               "table flags: the last row is cut off after 5 bytes",
	} {
		if _, _, err := x.Rows(t.Context(), m, nil, chunk([]byte(data))); err == nil || err.Error() != want {
			t.Errorf("%q gives %v, want %s", data, err, want)
		}
	}
}

func TestRowsAllocateNothing(t *testing.T) {
	x, m := flags(t)
	data := bytes.Repeat([]byte("1\tt\tbody\n"), 1000)
	dst := make([]byte, 0, len(data))
	if n := testing.AllocsPerRun(10, func() {
		if _, _, err := x.Rows(t.Context(), m, dst, chunk(data)); err != nil {
			t.Error(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for a chunk", n)
	}
}

// Only cells of converted columns change, each to the other spelling of the same
// value, and the number of rows and cells stays the same.
func FuzzRows(f *testing.F) {
	f.Add("1", "t", "body")
	f.Add(`\N`, `\N`, `\\N`)
	f.Add("", "x", "a\nb")
	f.Fuzz(func(t *testing.T, id, on, body string) {
		x, m := flags(t)
		row := id + "\t" + on + "\t" + body
		got, _, err := x.Rows(t.Context(), m, nil, chunk([]byte(row+"\n")))
		valid := on == "t" || on == "f" || on == `\N`
		if strings.ContainsAny(id+on+body, "\t\n") {
			return
		}
		if (err == nil) != valid {
			t.Fatalf("%q gives %v", row, err)
		}
		if err != nil {
			return
		}
		want := id + "\t" + strings.NewReplacer("t", "1", "f", "0").Replace(on) + "\t" + body + "\n"
		if string(got) != want {
			t.Errorf("%q became %q", row, got)
		}
	})
}

func FuzzYear(f *testing.F) {
	f.Add(uint16(0))
	f.Add(uint16(1999))
	f.Fuzz(func(t *testing.T, n uint16) {
		n %= 10000
		digits := []byte{'0' + byte(n/1000), '0' + byte(n/100%10), '0' + byte(n/10%10), '0' + byte(n%10)}
		got, ok := YearToInt.append(nil, digits)
		var back uint16
		for _, d := range got {
			back = back*10 + uint16(d-'0')
		}
		if !ok || back != n || len(got) > 1 && got[0] == '0' {
			t.Errorf("%s became %s", digits, got)
		}
	})
}

// chunk makes a chunk of rows.
func chunk(data []byte) stage.Chunk {
	return stage.Chunk{Data: data, Rows: bytes.Count(data, []byte{'\n'})}
}
