package typemap

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Limits of InnoDB tables with DYNAMIC or COMPRESSED rows in utf8mb4, from the
// MySQL manual, "InnoDB Limits" and "Limits on Table Column Count and Row Size".
const (
	maxRow    = 65535
	maxKey    = 3072
	maxParts  = 16
	charBytes = 4
	// textPrefix is the indexed prefix of a TEXT or BLOB column, in characters; it
	// also fits older servers and row formats.
	textPrefix = 191
)

// fitRow turns the longest VARCHARs into LONGTEXT until a row can be declared.
func (b *builder) fitRow() {
	size := 0
	var byLength []*schema.Column
	for i := range b.Schema.Columns {
		c := &b.Schema.Columns[i]
		size += width(c.Type)
		if (c.Type.Kind == schema.Char || c.Type.Kind == schema.Binary) && c.Type.Length > 0 {
			byLength = append(byLength, c)
		}
	}
	slices.SortStableFunc(byLength, func(x, y *schema.Column) int { return cmp.Compare(width(y.Type), width(x.Type)) })
	for _, c := range byLength {
		if size <= maxRow {
			return
		}
		size -= width(c.Type)
		if c.Type.Kind == schema.Char {
			c.Native, c.Type = "LONGTEXT", schema.Type{Kind: schema.Text}
		} else {
			c.Native, c.Type = "LONGBLOB", schema.Type{Kind: schema.Binary}
		}
		size += width(c.Type)
		b.note("column %s: %s, because the declared columns of a row must not exceed %d bytes", c.Name, c.Native, maxRow)
	}
}

// width returns the number of bytes of a column in the declared size of a row,
// rounded up.
func width(t schema.Type) int {
	switch t.Kind {
	case schema.Int, schema.Float:
		return t.Size
	case schema.Decimal:
		return t.Length/2 + 2
	case schema.Char:
		return charBytes*t.Length + 2
	case schema.Binary:
		if t.Length > 0 {
			return t.Length + 2
		}
	case schema.Bit:
		return t.Length/8 + 1
	case schema.Date, schema.Time, schema.DateTime, schema.Year:
		return 8
	}
	return 12 // the pointer to a TEXT or BLOB
}

// keyBytes returns the number of bytes of a column in a key: more than a key may have
// if its values are unlimited.
func keyBytes(t schema.Type) int {
	switch {
	case t.Kind == schema.Text, t.Kind == schema.Binary && t.Length == 0:
		return maxKey + 1
	case t.Kind == schema.Char:
		return charBytes * t.Length
	case t.Kind == schema.Binary:
		return t.Length
	}
	return width(t)
}

// prefixUnit returns the number of bytes per unit of a prefix; 0 if prefixes are not
// possible.
func prefixUnit(t schema.Type) int {
	switch t.Kind {
	case schema.Char, schema.Text:
		return charBytes
	case schema.Binary:
		return 1
	}
	return 0
}

// primaryKey keeps the primary key if the target supports it.
func (b *builder) primaryKey() {
	if key := b.From.PrimaryKeyIndex; key != nil && key.Timing != "" {
		b.note("the primary key is checked immediately: %s has no keys that are %s", b.Schema.Dialect, key.Timing)
	}
	if key := b.From.PrimaryKeyIndex; key != nil && len(key.Include) > 0 {
		b.note("the index of the primary key does not include %s: %s has no such keys", strings.Join(key.Include, ", "), b.Schema.Dialect)
	}
	if b.Schema.Dialect != mysql {
		return
	}
	size := 0
	for _, name := range b.Schema.PrimaryKey {
		c := b.Schema.Column(name)
		if c == nil {
			continue
		}
		if size += keyBytes(c.Type); size > maxKey || len(b.Schema.PrimaryKey) > maxParts {
			b.loss(stage.LossIndex, "primary key", "a key of MySQL has at most %d bytes and %d columns, which this one exceeds with %s", maxKey, maxParts, name)
			b.Schema.PrimaryKey = nil
			return
		}
	}
}

// mysqlIndex transfers an index, with prefixes if the key would be too long.
func (b *builder) mysqlIndex(x schema.Index) {
	where := "index " + x.Name
	whole, cut := 0, 0 // bytes of the full index, and with prefixes
	prefixes := slices.Clone(x.Columns)
	for i := range prefixes {
		p := &prefixes[i]
		c := b.Schema.Column(p.Name)
		if c == nil {
			b.loss(stage.LossIndex, where, "its column %s is not transferred", p.Name)
			return
		}
		n, unit := keyBytes(c.Type), prefixUnit(c.Type)
		if p.Prefix > 0 {
			n = p.Prefix * unit
		}
		whole += n
		if n > textPrefix*unit && unit > 0 {
			p.Prefix, n = textPrefix, textPrefix*unit
		}
		cut += n
	}
	switch {
	case len(x.Columns) > maxParts:
		b.loss(stage.LossIndex, where, "an index of MySQL has at most %d columns", maxParts)
		return
	case whole <= maxKey:
	case x.Unique:
		b.loss(stage.LossIndex, where, "a unique index of MySQL has at most %d bytes, %d per character, and cannot include unlimited text", maxKey, charBytes)
		return
	case cut > maxKey:
		b.loss(stage.LossIndex, where, "an index of MySQL has at most %d bytes, %d per character", maxKey, charBytes)
		return
	default:
		x.Columns = prefixes
		b.note("index %s: covers the first %d characters of its long columns, because an index of MySQL has at most %d bytes", x.Name, textPrefix, maxKey)
	}
	b.Schema.Indexes = append(b.Schema.Indexes, x)
}

// keySequence drops a sequence whose column is not the first of a key, which MySQL
// does not support.
func (b *builder) keySequence() {
	s := b.Schema.Sequence
	if s == nil || len(b.Schema.PrimaryKey) > 0 && b.Schema.PrimaryKey[0] == s.Column {
		return
	}
	for _, x := range b.Schema.Indexes {
		if x.Columns[0].Name == s.Column {
			return
		}
	}
	b.loss(stage.LossDefault, "column "+s.Column, "MySQL has a sequence only for the first column of a key")
	b.Schema.Sequence = nil
}
