// Package schema describes tables independently of an engine: a dialect reads them
// from one database and writes them as DDL for another.
//
// Text in an engine's own SQL (Native, expression defaults, Options, Collation) must
// be allowed by package sqltext; a sink refuses or loses anything else.
//
// Values of this package are plain data: they may be copied, and read concurrently as
// long as nobody changes them. They are sent to plugins and stored in manifests as
// JSON, so fields are only ever added.
package schema

import "slices"

// Table is the structure of one table.
type Table struct {
	// Name is the table's name without the site's prefix.
	Name string `json:"name"`
	// Dialect is the engine family of Native and of expression defaults: "mysql"
	// (also MariaDB), "postgres", "sqlite", or "" for none.
	Dialect    string   `json:"dialect,omitempty"`
	Columns    []Column `json:"columns"`
	PrimaryKey []string `json:"primary_key,omitempty"` // in key order
	// PrimaryKeyName is the name of the key's constraint, including the prefix in the
	// source, on an engine that names it.
	PrimaryKeyName string `json:"primary_key_name,omitempty"`
	// PrimaryKeyIndex describes what a primary key of PostgreSQL has besides its
	// columns; nil for nothing.
	PrimaryKeyIndex *KeyIndex `json:"primary_key_index,omitempty"`
	Indexes         []Index   `json:"indexes,omitempty"` // without the primary key
	Sequence        *Sequence `json:"sequence,omitempty"`
	Collation       string    `json:"collation,omitempty"` // of the table, in the dialect's SQL
	Options         string    `json:"options,omitempty"`   // clauses after the columns, in the dialect's SQL ("ROW_FORMAT=COMPRESSED")
	Comment         string    `json:"comment,omitempty"`
}

// Column is one column. Columns are listed in table order.
type Column struct {
	Name     string   `json:"name"`
	Type     Type     `json:"type"`
	Native   string   `json:"native,omitempty"` // the type as the table's Dialect spells it in DDL, with no other attribute
	Nullable bool     `json:"nullable,omitempty"`
	Default  *Default `json:"default,omitempty"`
	// OnUpdate is set if the column has ON UPDATE CURRENT_TIMESTAMP. Only MySQL and
	// MariaDB have it.
	OnUpdate bool `json:"on_update,omitempty"`
	// Collation of a text column, if it differs from the table's.
	Collation string `json:"collation,omitempty"`
	Comment   string `json:"comment,omitempty"`
}

// Default is the value of a column that an INSERT does not name. A nil Default means
// that none is declared, which for a nullable column is NULL. The expression NULL is
// one declared explicitly in PostgreSQL; it means the same.
type Default struct {
	Value string `json:"value"`          // canonical text, or an expression
	Expr  bool   `json:"expr,omitempty"` // Value is an expression in the table's Dialect; all dialects know CURRENT_TIMESTAMP
	// Native is how the table's Dialect spells the default, if it differs from how
	// Value would be written (1.0 for the default 1.00000 of a decimal, now() for
	// CURRENT_TIMESTAMP).
	Native string `json:"native,omitempty"`
}

// Index is a secondary index. What Moodle calls foreign and unique keys are indexes
// too.
type Index struct {
	Name    string        `json:"name"` // in the engine, including the prefix
	Columns []IndexColumn `json:"columns"`
	Unique  bool          `json:"unique,omitempty"`
	// Method is empty for an ordinary B-tree, else the engine's keyword (FULLTEXT,
	// SPATIAL, gin …). Such an index exists only in the table's Dialect.
	Method string `json:"method,omitempty"`
	// Native is the whole definition if columns cannot express it (expressions, a
	// WHERE clause). Such an index exists only in the table's Dialect.
	Native string `json:"native,omitempty"`
	// Options are clauses after the columns, in the dialect's SQL ("WITH
	// (fillfactor='70')"). They affect only how the index is stored.
	Options string `json:"options,omitempty"`
	// Constraint is set if the index belongs to a PostgreSQL constraint: UNIQUE,
	// UNIQUE DEFERRABLE or UNIQUE DEFERRABLE INITIALLY DEFERRED.
	Constraint string `json:"constraint,omitempty"`
	Comment    string `json:"comment,omitempty"`
}

// KeyIndex describes what a primary key of PostgreSQL has besides its columns.
type KeyIndex struct {
	Include []string `json:"include,omitempty"` // columns of the INCLUDE clause
	Timing  string   `json:"timing,omitempty"`  // when the key is checked: immediately if empty, else DEFERRABLE or DEFERRABLE INITIALLY DEFERRED
	Options string   `json:"options,omitempty"` // see Index.Options
	Comment string   `json:"comment,omitempty"`
}

// SameAs reports whether two keys, which may be nil, are equal except for options and
// comments.
func (k *KeyIndex) SameAs(other *KeyIndex) bool {
	if k == nil {
		k = &KeyIndex{}
	}
	if other == nil {
		other = &KeyIndex{}
	}
	return k.Timing == other.Timing && slices.Equal(k.Include, other.Include)
}

// IndexColumn is one part of an index.
type IndexColumn struct {
	Name   string `json:"name"`
	Prefix int    `json:"prefix,omitempty"` // characters (bytes for binary) that are indexed; 0 for all
	Desc   bool   `json:"desc,omitempty"`
	// Operators is the operator class if it is not the type's default
	// (varchar_pattern_ops). PostgreSQL only.
	Operators string `json:"operators,omitempty"`
	// TextSearch is the text search configuration (simple) of PostgreSQL's
	// to_tsvector; the index holds the lexemes, not the value.
	TextSearch string `json:"text_search,omitempty"`
}

// EngineOwn reports whether the index exists only on its engine: it has a method, a
// native definition, an operator class or a text search configuration.
func (x *Index) EngineOwn() bool {
	return x.Method != "" || x.Native != "" ||
		slices.ContainsFunc(x.Columns, func(c IndexColumn) bool { return c.Operators != "" || c.TextSearch != "" })
}

// SameAs reports whether two indexes of a table are equal except for names,
// constraints, options and comments.
func (x Index) SameAs(y Index) bool {
	return x.Unique == y.Unique && x.Method == y.Method && x.Native == y.Native && slices.Equal(x.Columns, y.Columns)
}

// Sequence is the generator of a column: AUTO_INCREMENT, SERIAL, IDENTITY,
// AUTOINCREMENT.
type Sequence struct {
	Column string `json:"column"`
	Next   uint64 `json:"next,string"` // value of the next row, at least 1
}

// Column returns the column with that name, or nil.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// ColumnNames returns the names of the columns, in order.
func (t *Table) ColumnNames() []string {
	names := make([]string, len(t.Columns))
	for i := range t.Columns {
		names[i] = t.Columns[i].Name
	}
	return names
}

// Key returns the positions of the columns that identify rows, for cutting chunks and
// in messages: the primary key, else the smallest unique index without nullable
// columns, else none.
func (t *Table) Key() []int {
	key := t.PrimaryKey
	if len(key) == 0 {
		for _, x := range t.Indexes {
			if x.Unique && x.plain() && t.notNull(x) && (len(key) == 0 || len(x.Columns) < len(key)) {
				key = key[:0:0]
				for _, c := range x.Columns {
					key = append(key, c.Name)
				}
			}
		}
	}
	var at []int
	for _, name := range key {
		for i := range t.Columns {
			if t.Columns[i].Name == name {
				at = append(at, i)
			}
		}
	}
	return at
}

func (x *Index) plain() bool {
	if x.EngineOwn() {
		return false
	}
	for _, c := range x.Columns {
		if c.Prefix > 0 {
			return false
		}
	}
	return true
}

func (t *Table) notNull(x Index) bool {
	for _, c := range x.Columns {
		if col := t.Column(c.Name); col == nil || col.Nullable {
			return false
		}
	}
	return true
}

// IntegerKey returns the column of a single-column integer primary key, and whether
// the table has one. Such a table can be read in key ranges.
func (t *Table) IntegerKey() (Column, bool) {
	if len(t.PrimaryKey) == 1 {
		if c := t.Column(t.PrimaryKey[0]); c != nil && c.Type.Kind == Int {
			return *c, true
		}
	}
	return Column{}, false
}
