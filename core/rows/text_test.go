package rows

import (
	"bytes"
	"math"
	"testing"
)

// A text value has one encoding, which decodes to the value.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a", `\`, `\N`, "\\\\x00", "tab\tnew\nline\r", "\x00\b\f\v", "😀", "\xff\xfe"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		cell := AppendText(nil, value)
		if bytes.ContainsAny(cell, "\t\n\r") {
			t.Fatalf("%q is encoded as %q, which breaks a row", value, cell)
		}
		if IsNull(cell) {
			t.Fatalf("%q is written as NULL", value)
		}
		got, err := Unescape(nil, cell)
		if err != nil || !bytes.Equal(got, value) {
			t.Fatalf("%q is written %q and reads %q, %v", value, cell, got, err)
		}
		bin := AppendBinary(nil, value)
		if got, err := Binary(nil, bin); err != nil || !bytes.Equal(got, value) {
			t.Fatalf("%x is written %q and reads %x, %v", value, bin, got, err)
		}
	})
}

// Every cell is either rejected or encodes back to itself.
func FuzzUnescape(f *testing.F) {
	f.Add([]byte(`a\\b\tc`))
	f.Add([]byte(`\q`))
	f.Add([]byte(`end\`))
	f.Fuzz(func(t *testing.T, cell []byte) {
		if bytes.ContainsAny(cell, "\t\n\r") {
			return // not a cell
		}
		value, err := Unescape(nil, cell)
		if err != nil {
			return
		}
		if again := AppendText(nil, value); !bytes.Equal(again, cell) {
			t.Fatalf("%q reads %q, which is written %q", cell, value, again)
		}
	})
}

func TestRowsAreSplitAtTabsAndNewlines(t *testing.T) {
	data := []byte("1\t\\N\t\n2\tb\\tc\t\\\\x00ff\n")
	var got [][]string
	for rest := data; ; {
		row, next, ok, err := Next(rest)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		var cells []string
		for _, c := range Split(nil, row) {
			cells = append(cells, string(c))
		}
		got, rest = append(got, cells), next
	}
	want := [][]string{{"1", `\N`, ""}, {"2", `b\tc`, `\\x00ff`}}
	for i := range want {
		for k := range want[i] {
			if got[i][k] != want[i][k] {
				t.Errorf("row %d cell %d is %q, want %q", i, k, got[i][k], want[i][k])
			}
		}
	}
	if _, _, _, err := Next([]byte("cut off")); err == nil {
		t.Error("a row without its newline must be an error")
	}
}

func TestFloatsAreShortestAndReadBack(t *testing.T) {
	for _, c := range []struct {
		value float64
		bits  int
		want  string
	}{
		{0.1, 64, "0.1"}, {1e-7, 64, "1e-07"}, {5e-324, 64, "5e-324"}, {1e20, 64, "1e+20"},
		{math.Copysign(0, -1), 64, "-0"}, {float64(float32(1.2345678)), 32, "1.2345678"},
		{math.NaN(), 64, "NaN"}, {math.Inf(1), 64, "Infinity"}, {math.Inf(-1), 64, "-Infinity"},
	} {
		if got := string(AppendFloat(nil, c.value, c.bits)); got != c.want {
			t.Errorf("%v is written %s, want %s", c.value, got, c.want)
		}
	}
}
