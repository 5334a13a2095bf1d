package xmldb

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// The dialects for which Moodle creates tables, as in schema.Table.
const (
	MySQL    = "mysql"
	Postgres = "postgres"
)

// On returns the table as Moodle creates it in a dialect, MySQL or Postgres, on a site
// with that prefix. take reserves the name of an index and reports whether it was free.
func (t *Table) On(dialect, prefix string, take func(name string) bool) schema.Table {
	out := schema.Table{Name: t.Name, Dialect: dialect, Comment: t.Comment}
	for _, f := range t.Fields {
		out.Columns = append(out.Columns, f.on(dialect))
		if f.Sequence {
			out.Sequence = &schema.Sequence{Column: f.Name, Next: 1}
		}
	}
	for _, k := range t.Keys {
		if k.Type == Primary {
			out.PrimaryKey = k.Fields
		}
	}
	out.Indexes = t.indexes(dialect)
	// Indexes that are not in the definition and exist on one engine only.
	neutral := out
	neutral.Dialect = ""
	for _, r := range moodle.EngineIndexes(&neutral, dialect) {
		for _, x := range r.To {
			add(&out.Indexes, x)
		}
	}
	for i, name := range moodle.IndexNames(&out, "", prefix, take) {
		out.Indexes[i].Name = name
	}
	if dialect == Postgres && len(out.PrimaryKey) > 0 {
		for n := 1; out.PrimaryKeyName == ""; n++ {
			if name := moodle.KeyName(prefix, t.Name, out.PrimaryKey, n); take(name) {
				out.PrimaryKeyName = name
			}
		}
	}
	return out
}

// indexes returns the indexes of the definition, each once, in the order in which
// Moodle creates them: those of keys come last.
func (t *Table) indexes(dialect string) []schema.Index {
	var all []schema.Index
	for _, x := range t.Indexes {
		add(&all, plain(x.Fields, x.Unique))
		if dialect == Postgres && x.hasHint(PatternHint) && len(x.Fields) == 1 {
			like := plain(x.Fields, false)
			like.Columns[0].Operators = PatternHint
			add(&all, like)
		}
	}
	for _, k := range t.Keys {
		if k.Type != Primary {
			add(&all, plain(k.Fields, k.Type != Foreign))
		}
	}
	return all
}

func plain(fields []string, unique bool) schema.Index {
	x := schema.Index{Unique: unique}
	for _, f := range fields {
		x.Columns = append(x.Columns, schema.IndexColumn{Name: f})
	}
	return x
}

// add appends an index unless there is one like it.
func add(all *[]schema.Index, x schema.Index) {
	for _, there := range *all {
		if there.SameAs(x) {
			return
		}
	}
	*all = append(*all, x)
}

// on returns the column that Moodle creates for a field.
func (f *Field) on(dialect string) schema.Column {
	c := schema.Column{Name: f.Name, Nullable: !f.NotNull}
	if dialect == Postgres {
		c.Type, c.Native = f.postgres()
	} else {
		c.Type, c.Native = f.mysql()
	}
	switch {
	case f.Sequence:
		c.Nullable = false
	case f.Default != nil:
		c.Default = &schema.Default{Value: canonical(c.Type, *f.Default)}
	case f.Type == Char && f.NotNull:
		c.Default = &schema.Default{}
	}
	return c
}

func (f *Field) length(standard int) int {
	if f.Length == 0 {
		return standard
	}
	return f.Length
}

// Moodle's default lengths of fields.
const (
	intLength  = 10
	charLength = 255
)

func (f *Field) mysql() (schema.Type, string) {
	switch f.Type {
	case Int:
		length := f.length(intLength)
		size, name := 1, "tinyint"
		switch {
		case length > 9:
			size, name = 8, "bigint"
		case length > 6:
			size, name = 4, "int"
		case length > 4:
			size, name = 3, "mediumint"
		case length > 2:
			size, name = 2, "smallint"
		}
		return schema.Type{Kind: schema.Int, Size: size, Length: length}, fmt.Sprintf("%s(%d)", name, length)
	case Number:
		length := f.length(10)
		return schema.Type{Kind: schema.Decimal, Length: length, Scale: f.Decimals}, fmt.Sprintf("decimal(%d,%d)", length, f.Decimals)
	case Float:
		size, name := 8, "double"
		if f.Decimals > 0 && f.Decimals < 6 {
			size, name = 4, "float"
		}
		if f.Length > 0 {
			name += fmt.Sprintf("(%d,%d)", f.Length, f.Decimals)
		}
		return schema.Type{Kind: schema.Float, Size: size}, name
	case Char:
		length := f.length(charLength)
		return schema.Type{Kind: schema.Char, Length: length}, fmt.Sprintf("varchar(%d)", length)
	case Text:
		return schema.Type{Kind: schema.Text}, "longtext"
	case Binary:
		return schema.Type{Kind: schema.Binary}, "longblob"
	}
	return schema.Type{Kind: schema.DateTime}, "datetime"
}

func (f *Field) postgres() (schema.Type, string) {
	switch f.Type {
	case Int:
		length := f.length(intLength)
		switch {
		case length > 9:
			return schema.Type{Kind: schema.Int, Size: 8}, "bigint"
		case length > 4:
			return schema.Type{Kind: schema.Int, Size: 4}, "integer"
		}
		return schema.Type{Kind: schema.Int, Size: 2}, "smallint"
	case Number:
		t := schema.Type{Kind: schema.Decimal, Length: f.Length}
		if f.Length == 0 {
			return t, "numeric"
		}
		t.Scale = f.Decimals
		return t, fmt.Sprintf("numeric(%d,%d)", f.Length, f.Decimals)
	case Float:
		if f.Decimals > 0 && f.Decimals < 6 {
			return schema.Type{Kind: schema.Float, Size: 4}, "real"
		}
		return schema.Type{Kind: schema.Float, Size: 8}, "double precision"
	case Char:
		length := f.length(charLength)
		return schema.Type{Kind: schema.Char, Length: length}, fmt.Sprintf("character varying(%d)", length)
	case Text:
		return schema.Type{Kind: schema.Text}, "text"
	case Binary:
		return schema.Type{Kind: schema.Binary}, "bytea"
	}
	return schema.Type{Kind: schema.DateTime, Scale: 6}, "timestamp without time zone"
}

// canonical formats a default as a value of the column.
func canonical(t schema.Type, value string) string {
	switch t.Kind {
	case schema.Int, schema.Decimal, schema.Float:
		f, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return value
		}
		if t.Kind == schema.Float {
			return string(rows.AppendFloat(nil, f, t.Size*8))
		}
		return decimal(value, t.Scale)
	}
	return value
}

// decimal formats a number that has no exponent with a fixed number of decimals and
// without leading zeros.
func decimal(value string, scale int) string {
	if strings.ContainsAny(value, "eExXpPiInN") {
		return value
	}
	sign := ""
	if rest, ok := strings.CutPrefix(value, "-"); ok {
		sign, value = "-", rest
	}
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(value, "+"), ".")
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	for len(fraction) < scale {
		fraction += "0"
	}
	if rest := fraction[scale:]; strings.Trim(rest, "0") != "" {
		return sign + whole + "." + fraction // it has more decimals than the column
	}
	if fraction = fraction[:scale]; fraction != "" {
		whole += "." + fraction
	}
	if strings.Trim(whole, "0.") == "" {
		sign = ""
	}
	return sign + whole
}
