package sample

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// The functions here declare columns like XMLDB, with the integer sizes that Moodle's
// MySQL generator derives from lengths.

func integer(name string, length int) schema.Column {
	size := 1
	switch {
	case length > 9:
		size = 8
	case length > 6:
		size = 4
	case length > 4:
		size = 3
	case length > 2:
		size = 2
	}
	return schema.Column{Name: name, Type: schema.Type{Kind: schema.Int, Size: size, Length: length}, Default: &schema.Default{Value: "0"}}
}

func id() schema.Column { return required(integer("id", 10)) }

func char(name string, length int) schema.Column {
	return schema.Column{Name: name, Type: schema.Type{Kind: schema.Char, Length: length}, Default: &schema.Default{}}
}

func text(name string) schema.Column {
	return schema.Column{Name: name, Type: schema.Type{Kind: schema.Text}}
}

func number(name string, length, scale int) schema.Column {
	zero := strings.TrimSuffix("0."+strings.Repeat("0", scale), ".")
	return schema.Column{Name: name, Type: schema.Type{Kind: schema.Decimal, Length: length, Scale: scale}, Default: &schema.Default{Value: zero}}
}

func float(name string, size int) schema.Column {
	return schema.Column{Name: name, Type: schema.Type{Kind: schema.Float, Size: size}}
}

func blob(name string) schema.Column {
	return schema.Column{Name: name, Type: schema.Type{Kind: schema.Binary}}
}

func required(c schema.Column) schema.Column {
	c.Default = nil
	return c
}

func nullable(c schema.Column) schema.Column {
	c.Nullable, c.Default = true, nil
	return c
}

func otherwise(c schema.Column, value string) schema.Column {
	c.Default = &schema.Default{Value: value}
	return c
}

func columns(c ...schema.Column) []schema.Column { return c }

func index(columns ...string) schema.Index {
	var x schema.Index
	for _, c := range columns {
		x.Columns = append(x.Columns, schema.IndexColumn{Name: c})
	}
	return x
}

func unique(columns ...string) schema.Index {
	x := index(columns...)
	x.Unique = true
	return x
}

// nameIndexes names a table's indexes like Moodle: four letters of each part of the
// table's name, three of each column's, a counter if the name is taken.
func nameIndexes(t *schema.Table, prefix string) {
	var taken []string
	for i := range t.Indexes {
		x := &t.Indexes[i]
		name := prefix
		for _, part := range strings.Split(t.Name, "_") {
			name += firstLetters(part, 4)
		}
		name += "_"
		for _, c := range x.Columns {
			name += firstLetters(c.Name, 3)
		}
		suffix := "_ix"
		if x.Unique {
			suffix = "_uix"
		}
		x.Name = strings.ToLower(name + suffix)
		for n := 2; slices.Contains(taken, x.Name); n++ {
			x.Name = strings.ToLower(name + strconv.Itoa(n) + suffix)
		}
		taken = append(taken, x.Name)
	}
}

func firstLetters(s string, n int) string { return s[:min(n, len(s))] }
