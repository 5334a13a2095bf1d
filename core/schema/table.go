// Package schema describes tables without naming an engine: what a dialect
// reads from one database and writes as DDL in another.
//
// Text in an engine's own words (Native, expression defaults, Options, Collation)
// must be a part that package sqltext allows: a sink refuses or loses all other.
//
// Values of this package are plain data: they may be copied and, while nobody
// changes them, read by many goroutines. They cross process borders and stand
// in manifests as JSON; fields are only ever added.
package schema

import "slices"

// Table is the structure of one table.
type Table struct {
	// Name is the table's name without the site's prefix.
	Name string `json:"name"`
	// Dialect is the engine family whose spelling Native and expression
	// defaults have: "mysql" (MariaDB too), "postgres", "sqlite", or "" for none.
	Dialect    string   `json:"dialect,omitempty"`
	Columns    []Column `json:"columns"`
	PrimaryKey []string `json:"primary_key,omitempty"` // in key order
	// PrimaryKeyName is the name of the key's constraint, with the prefix it has
	// there, on an engine that names it.
	PrimaryKeyName string `json:"primary_key_name,omitempty"`
	// PrimaryKeyIndex is what PostgreSQL's primary keys have beside their columns; nil for nothing.
	PrimaryKeyIndex *KeyIndex `json:"primary_key_index,omitempty"`
	Indexes         []Index   `json:"indexes,omitempty"` // without the primary key
	Sequence        *Sequence `json:"sequence,omitempty"`
	Collation       string    `json:"collation,omitempty"` // of the table, in its dialect's words
	Options         string    `json:"options,omitempty"`   // clauses after the columns, in its dialect's words ("ROW_FORMAT=COMPRESSED")
	Comment         string    `json:"comment,omitempty"`
}

// Column is one column; columns stand in the order of the table.
type Column struct {
	Name     string   `json:"name"`
	Type     Type     `json:"type"`
	Native   string   `json:"native,omitempty"` // the type as the table's Dialect spells it in DDL, with no other attribute
	Nullable bool     `json:"nullable,omitempty"`
	Default  *Default `json:"default,omitempty"`
	// OnUpdate is set if an UPDATE of the row that names no value for the column sets
	// it to CURRENT_TIMESTAMP. Only MySQL and MariaDB have it.
	OnUpdate bool `json:"on_update,omitempty"`
	// Collation of a text column where it differs from the table's.
	Collation string `json:"collation,omitempty"`
	Comment   string `json:"comment,omitempty"`
}

// Default is what a column holds where an INSERT names no value. No Default at
// all means none is declared, which on a nullable column is NULL. The expression
// NULL is one that PostgreSQL has declared and means the same.
type Default struct {
	Value string `json:"value"`          // canonical text, or an expression
	Expr  bool   `json:"expr,omitempty"` // Value is an expression in the table's Dialect; CURRENT_TIMESTAMP is one that all know
	// Native is how the table's Dialect spells it, where that isn't how Value would
	// be written (1.0 for the default 1.00000 of a decimal, now() for CURRENT_TIMESTAMP).
	Native string `json:"native,omitempty"`
}

// Index is a secondary index; keys that Moodle calls foreign or unique are indexes too.
type Index struct {
	Name    string        `json:"name"` // as the engine names it, with the prefix it has there
	Columns []IndexColumn `json:"columns"`
	Unique  bool          `json:"unique,omitempty"`
	// Method is empty for an ordinary B-tree, else the engine's word (FULLTEXT,
	// SPATIAL, gin …): such an index exists only in the table's Dialect.
	Method string `json:"method,omitempty"`
	// Native is the whole definition where columns cannot say it (expressions,
	// a WHERE clause): such an index exists only in the table's Dialect.
	Native string `json:"native,omitempty"`
	// Options are clauses after the columns, in its dialect's words ("WITH
	// (fillfactor='70')"); without them the index is the same, stored differently.
	Options string `json:"options,omitempty"`
	// Constraint is set if the index belongs to a constraint of PostgreSQL: UNIQUE,
	// UNIQUE DEFERRABLE or UNIQUE DEFERRABLE INITIALLY DEFERRED.
	Constraint string `json:"constraint,omitempty"`
	Comment    string `json:"comment,omitempty"`
}

// KeyIndex is what PostgreSQL's primary keys have beside their columns.
type KeyIndex struct {
	Include []string `json:"include,omitempty"` // further columns that the index holds
	Timing  string   `json:"timing,omitempty"`  // when the key is checked: at once if empty, DEFERRABLE or DEFERRABLE INITIALLY DEFERRED
	Options string   `json:"options,omitempty"` // as an Index has them
	Comment string   `json:"comment,omitempty"`
}

// SameAs reports whether two keys, which may be nil, are the same but for options and comments.
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
	// Operators names the operator class where it is not the type's default
	// (varchar_pattern_ops). Only PostgreSQL has them.
	Operators string `json:"operators,omitempty"`
	// TextSearch is the configuration (simple) by which PostgreSQL's to_tsvector
	// makes words of the column; the words are indexed, not the value.
	TextSearch string `json:"text_search,omitempty"`
}

// EngineOwn reports whether only one engine has such an index: it has a method, a
// native definition, an operator class or a text search.
func (x *Index) EngineOwn() bool {
	return x.Method != "" || x.Native != "" ||
		slices.ContainsFunc(x.Columns, func(c IndexColumn) bool { return c.Operators != "" || c.TextSearch != "" })
}

// SameAs reports whether two indexes of a table are the same but for their names,
// constraints, options and comments.
func (x Index) SameAs(y Index) bool {
	return x.Unique == y.Unique && x.Method == y.Method && x.Native == y.Native && slices.Equal(x.Columns, y.Columns)
}

// Sequence is the generator behind a column: AUTO_INCREMENT, SERIAL, IDENTITY, AUTOINCREMENT.
type Sequence struct {
	Column string `json:"column"`
	Next   uint64 `json:"next,string"` // the value that the next row gets, at least 1
}

// Column returns the column of that name, or nil.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// ColumnNames lists the columns in order.
func (t *Table) ColumnNames() []string {
	names := make([]string, len(t.Columns))
	for i := range t.Columns {
		names[i] = t.Columns[i].Name
	}
	return names
}

// Key returns the positions of the columns that tell rows apart for cutting
// chunks and naming rows: the primary key, else the columns of the smallest
// unique index whose columns can't be NULL, else none.
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

// IntegerKey returns the column of a primary key that is one integer, and
// whether there is one: such a table can be read in key ranges.
func (t *Table) IntegerKey() (Column, bool) {
	if len(t.PrimaryKey) == 1 {
		if c := t.Column(t.PrimaryKey[0]); c != nil && c.Type.Kind == Int {
			return *c, true
		}
	}
	return Column{}, false
}
