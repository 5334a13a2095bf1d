package sqlite

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/keyrange"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Every canonical text is read back from a database unchanged.
func TestValuesAreReadBack(t *testing.T) {
	digits15, digits16 := "9999999999.99999", "99999999999999.99"
	for _, v := range []struct {
		t     schema.Type
		cells []string
	}{
		{schema.Type{Kind: schema.Int, Size: 1}, []string{"-128", "127", "0"}},
		{schema.Type{Kind: schema.Int, Size: 4, Unsigned: true}, []string{"0", "4294967295"}},
		{schema.Type{Kind: schema.Int, Size: 8}, []string{"-9223372036854775808", "9223372036854775807"}},
		{schema.Type{Kind: schema.Int, Size: 8, Unsigned: true}, []string{"0", "9223372036854775807", "9223372036854775808", "18446744073709551615"}},
		{schema.Type{Kind: schema.Decimal, Length: 10, Scale: 5}, []string{"0.00000", "-0.00001", "99999.99999", "100.00000", "33.33333", "0.10000", "NaN"}},
		{schema.Type{Kind: schema.Decimal, Length: 15, Scale: 5}, []string{digits15, "-" + digits15, "0.00001"}},
		{schema.Type{Kind: schema.Decimal, Length: 16, Scale: 2}, []string{digits16, "-" + digits16}},
		{schema.Type{Kind: schema.Decimal, Length: 20}, []string{"99999999999999999999", "9223372036854775808"}},
		{schema.Type{Kind: schema.Decimal, Length: 38, Scale: 38}, []string{"0.00000000000000000000000000000000000001"}},
		{schema.Type{Kind: schema.Decimal}, []string{"1.50", "1", "0.00000000000000000000001", "123456789012345678901234567890.5", "NaN", "Infinity"}},
		{schema.Type{Kind: schema.Float, Size: 4}, []string{"0.1", "3.4028235e+38", "1e-45", "1.6777216e+07", "NaN", "Infinity", "-Infinity", "-0", "0"}},
		{schema.Type{Kind: schema.Float, Size: 8}, []string{"0.1", "1.7976931348623157e+308", "5e-324", "1e-07", "1e+20", "9.007199254740992e+15", "NaN", "Infinity", "-Infinity", "-0", "0", "1"}},
		{schema.Type{Kind: schema.Bool}, []string{"t", "f"}},
		{schema.Type{Kind: schema.Char, Length: 20}, []string{"", "007", "1e5", "äöü\x00nul", `\\N`, " 1 ", "9223372036854775808", `tab\tnew\nline\r`}},
		{schema.Type{Kind: schema.Text}, []string{"", "0", "👩‍🏫", "\xff\xfe not UTF-8", "\x01\x7f", "\x00", `C:\\x`}},
		{schema.Type{Kind: schema.Binary}, []string{`\\x`, `\\x00`, `\\x00ff31`, `\\x31`}},
		{schema.Type{Kind: schema.Binary, Length: 2, Fixed: true}, []string{`\\x0000`}},
		{schema.Type{Kind: schema.Bit, Length: 8}, []string{"00000101"}},
		{schema.Type{Kind: schema.Date}, []string{"0000-00-00", "2024-00-15", "0009-12-04", "9999-12-31"}},
		{schema.Type{Kind: schema.Time, Scale: 3}, []string{"-838:59:59", "00:00:00.001"}},
		{schema.Type{Kind: schema.DateTime, Scale: 6}, []string{"2024-02-29 23:59:59.123456", "0000-00-00 00:00:00"}},
		{schema.Type{Kind: schema.Timestamp}, []string{"2038-01-19 03:14:08", "infinity"}},
		{schema.Type{Kind: schema.Year}, []string{"2024", "0000"}},
		{schema.Type{Kind: schema.JSON}, []string{`{"a": 1.50}`, "1", "null"}},
		{schema.Type{Kind: schema.UUID}, []string{"00000000-0000-0000-0000-000000000001"}},
		{schema.Type{Kind: schema.Enum, Values: []string{"1", "int"}}, []string{"1", "int", ""}},
		{schema.Type{Kind: schema.Set, Values: []string{"1", "2"}}, []string{"1,2", ""}},
		{schema.Type{Kind: schema.Other}, []string{"POINT(1 2)"}},
	} {
		table := schema.Table{Name: "t", Columns: []schema.Column{
			{Name: "n", Type: schema.Type{Kind: schema.Int, Size: 4}}, {Name: "x", Type: v.t, Nullable: true}}}
		want := `0` + "\t" + `\N` + "\n"
		for i, cell := range v.cells {
			want += fmt.Sprintf("%d\t%s\n", i+1, cell)
		}
		if got := through(t, &table, want); got != want {
			t.Errorf("%s: put %q, got %q", DeclaredType(v.t), want, got)
		}
	}
}

// through inserts rows into a new database and reads them back.
func through(t *testing.T, table *schema.Table, data string) string {
	t.Helper()
	c := create(t)
	sql, err := CreateTable(table, "p_"+table.Name)
	if err != nil {
		t.Fatal(err)
	}
	run(t, c, sql)
	x, err := c.Inserter(t.Context(), table, "p_"+table.Name)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Chunk(t.Context(), []byte(data), func(row []byte, why *Refusal) error { return fmt.Errorf("%q is refused: %w", row, why) }); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	found, err := c.Inspect(t.Context(), "p_")
	if err != nil {
		t.Fatal(err)
	}
	return readAll(t, c, &found.Tables[0])
}

func readAll(t *testing.T, c *Conn, table *Table) string {
	t.Helper()
	var got strings.Builder
	if err := c.Read(t.Context(), table, keyrange.Range{}, "", Receiver{
		Chunk: func(_ context.Context, data []byte, _ int) error { got.Write(data); return nil },
		Loss:  func(_ context.Context, l stage.Loss) error { return fmt.Errorf("%+v", l) },
	}); err != nil {
		t.Fatal(err)
	}
	return got.String()
}

// A cell that is not the canonical text of its type is rejected, not converted.
func TestWrongCellsAreRejected(t *testing.T) {
	var e Encoder
	for _, v := range []struct {
		t    schema.Type
		cell string
	}{
		{schema.Type{Kind: schema.Int, Size: 4}, "2147483648"},
		{schema.Type{Kind: schema.Int, Size: 4, Unsigned: true}, "-1"},
		{schema.Type{Kind: schema.Int, Size: 8}, "9223372036854775808"},
		{schema.Type{Kind: schema.Int, Size: 8, Unsigned: true}, "18446744073709551616"},
		{schema.Type{Kind: schema.Int, Size: 8, Unsigned: true}, "018446744073709551615"},
		{schema.Type{Kind: schema.Int, Size: 8}, "007"},
		{schema.Type{Kind: schema.Int, Size: 8}, ""},
		{schema.Type{Kind: schema.Decimal, Length: 10, Scale: 5}, "1.5"},
		{schema.Type{Kind: schema.Decimal, Length: 10, Scale: 5}, "100000.00000"},
		{schema.Type{Kind: schema.Decimal, Length: 10, Scale: 5}, "01.00000"},
		{schema.Type{Kind: schema.Decimal}, "1e5"},
		{schema.Type{Kind: schema.Decimal}, "1."},
		{schema.Type{Kind: schema.Decimal}, "-"},
		{schema.Type{Kind: schema.Float, Size: 8}, "0.10"},
		{schema.Type{Kind: schema.Float, Size: 4}, "0.123456789"},
		{schema.Type{Kind: schema.Bool}, "1"},
		{schema.Type{Kind: schema.Binary}, "00"},
		{schema.Type{Kind: schema.Text}, `\q`},
	} {
		if got, err := e.Value([]byte(v.cell), &v.t); err == nil {
			t.Errorf("%s takes %q as %v", DeclaredType(v.t), v.cell, got)
		}
	}
}

// A cell that a numeric type accepts is read back with the same spelling.
func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"0", "-1", "1.50000", "-0", "NaN", "18446744073709551615", "1e+20", "0.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		var e Encoder
		for _, v := range vocabulary {
			if k := v.t.Kind; k != schema.Int && k != schema.Decimal && k != schema.Float && k != schema.Bool {
				continue
			}
			value, err := e.Value([]byte(cell), &v.t)
			if err != nil {
				continue
			}
			if got, ok := AppendCell(nil, &v.t, value); !ok || string(got) != cell {
				t.Errorf("%s takes %q as %v and gives %q", v.declared, cell, value, got)
			}
		}
	})
}
