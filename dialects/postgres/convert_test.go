package postgres

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// copyText escapes a value as COPY TO does (PostgreSQL manual, "COPY", Text Format).
var copyText = strings.NewReplacer(`\`, `\\`, "\b", `\b`, "\f", `\f`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\v", `\v`)

// Whatever COPY escapes, the row has the encoding of package rows.
func FuzzRow(f *testing.F) {
	f.Add("a\b\f\v\\b", "x\t\n", true)
	f.Add(`\`, `\N`, false)
	f.Fuzz(func(t *testing.T, a, b string, null bool) {
		if !utf8.ValidString(a+b) || strings.Contains(a+b, "\x00") {
			return
		}
		sent := copyText.Replace(a) + "\t" + copyText.Replace(b)
		want := rows.AppendText(append(rows.AppendText(nil, a), '\t'), b)
		if null {
			sent, want = sent+"\t\\N", append(want, "\t\\N"...)
		}
		for _, kind := range []schema.Kind{schema.Text, schema.Float} { // with and without a converted cell
			table := &schema.Table{Columns: []schema.Column{{Type: schema.Type{Kind: schema.Text}}, {Type: schema.Type{Kind: schema.Text}}, {Type: schema.Type{Kind: kind, Size: 8}}}}
			got, err := newDecoder(table).row(nil, []byte(sent))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%q became %q (%v), want %q", sent, got, err, want)
			}
		}
	})
}

// No bytes from a server make the decoder panic.
func FuzzDecoderIsRobust(f *testing.F) {
	f.Add([]byte("1\\"))
	table := &schema.Table{
		Columns: []schema.Column{{Name: "a", Type: schema.Type{Kind: schema.Float, Size: 4}}, {Name: "b", Type: schema.Type{Kind: schema.Timestamp}},
			{Name: "c", Type: schema.Type{Kind: schema.Char, Fixed: true}}, {Name: "d"}},
		PrimaryKey: []string{"d", "b"},
	}
	f.Fuzz(func(t *testing.T, row []byte) {
		d := newDecoder(table)
		if got, err := d.row(nil, row); err == nil && bytes.Count(got, []byte{'\t'}) == 3 {
			d.keyOf(got)
		}
	})
}

func TestCellsBecomeCanonical(t *testing.T) {
	for _, c := range []struct {
		typ        schema.Type
		sent, want string
	}{
		{schema.Type{Kind: schema.Float, Size: 8}, "1e+15", "1e+15"},
		{schema.Type{Kind: schema.Float, Size: 8}, "1234567", "1.234567e+06"},
		{schema.Type{Kind: schema.Float, Size: 8}, "-0", "-0"},
		{schema.Type{Kind: schema.Float, Size: 8}, "5e-324", "5e-324"},
		{schema.Type{Kind: schema.Float, Size: 8}, "-Infinity", "-Infinity"},
		{schema.Type{Kind: schema.Float, Size: 8}, "NaN", "NaN"},
		{schema.Type{Kind: schema.Float, Size: 4}, "0.1", "0.1"},
		{schema.Type{Kind: schema.Float, Size: 4}, "3.4028235e+38", "3.4028235e+38"},
		{schema.Type{Kind: schema.Timestamp}, "2024-01-01 00:00:00.5+00", "2024-01-01 00:00:00.5"},
		{schema.Type{Kind: schema.Timestamp}, "0044-03-15 00:00:00+00 BC", "0044-03-15 00:00:00 BC"},
		{schema.Type{Kind: schema.Timestamp}, "infinity", "infinity"},
		{schema.Type{Kind: schema.Char, Fixed: true}, "ab        ", "ab"},
		{schema.Type{Kind: schema.Char, Fixed: true}, `\t\\b   `, `\t\\b`},
		{schema.Type{Kind: schema.Char, Fixed: true}, `\N`, `\N`},
		{schema.Type{Kind: schema.Char}, "ab  ", "ab  "},
		{schema.Type{Kind: schema.Binary}, `\\x0008`, `\\x0008`},
	} {
		table := &schema.Table{Columns: []schema.Column{{Type: c.typ}}}
		if got, err := newDecoder(table).row(nil, []byte(c.sent)); err != nil || string(got) != c.want {
			t.Errorf("%v %q: %q (%v) instead of %q", c.typ, c.sent, got, err, c.want)
		}
	}
}

func TestKeyOfRow(t *testing.T) {
	table := &schema.Table{Columns: []schema.Column{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d"}}}
	for want, key := range map[string][]string{"": nil, "1": {"a"}, "4": {"d"}, "2\t3": {"b", "c"}, "3\t4": {"c", "d"}, "3\t1": {"c", "a"}, "1\t3": {"a", "c"}} {
		table.PrimaryKey = key
		if got := newDecoder(table).keyOf([]byte("1\t2\t3\t4")); string(got) != want {
			t.Errorf("key %q is %q", key, got)
		}
	}
}

func BenchmarkRow(b *testing.B) {
	table := &schema.Table{Columns: make([]schema.Column, 21), PrimaryKey: []string{"id"}}
	for i := range table.Columns {
		table.Columns[i] = schema.Column{Name: "c", Type: schema.Type{Kind: schema.Text}}
	}
	table.Columns[0].Name = "id"
	row := []byte("1000000\t\\\\core\\\\event\\\\course_module_viewed\tmod_forum\tviewed\tcourse_module\tforum\t4711\tr\t2\t815\t70\t1234\t2\t3\t\\N\t0\t{\"courseid\":\"3\"}\t1700000000\tweb\t10.0.0.1\t\\N")
	d := newDecoder(table)
	var dst []byte
	b.SetBytes(int64(len(row)))
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = d.row(dst[:0], row); err != nil {
			b.Fatal(err)
		}
		d.keyOf(dst)
	}
}
