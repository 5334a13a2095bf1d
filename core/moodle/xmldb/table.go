package xmldb

// Table is a table as an install.xml defines it.
type Table struct {
	Name    string // without the site's prefix
	Comment string
	Fields  []Field
	Keys    []Key
	Indexes []Index
}

// Type is a type of XMLDB.
type Type string

// The types of XMLDB.
const (
	Int      Type = "int"
	Number   Type = "number" // a decimal
	Float    Type = "float"
	Char     Type = "char"
	Text     Type = "text"
	Binary   Type = "binary"
	Datetime Type = "datetime"
)

// Field is a column.
type Field struct {
	Name     string
	Type     Type
	Length   int // digits or characters; 0 for none
	Decimals int
	NotNull  bool
	Sequence bool
	// Default is the declared default, nil for none. It is nil where Moodle ignores it:
	// on text and binary, and '' on a char that is NOT NULL.
	Default *string
	Comment string
}

// KeyType is the type of a key.
type KeyType string

// The types of keys.
const (
	Primary       KeyType = "primary"
	Unique        KeyType = "unique"
	Foreign       KeyType = "foreign"
	ForeignUnique KeyType = "foreign-unique"
)

// Key is a key. Moodle creates an index for each but the primary key.
type Key struct {
	Name      string
	Type      KeyType
	Fields    []string
	RefTable  string // of a foreign key
	RefFields []string
}

// Index is an index.
type Index struct {
	Name   string
	Unique bool
	Fields []string
	Hints  []string // varchar_pattern_ops, full_text
}

// PatternHint requests a second index for LIKE on PostgreSQL.
const PatternHint = "varchar_pattern_ops"

// hasHint reports whether an index has a hint.
func (x *Index) hasHint(hint string) bool {
	for _, h := range x.Hints {
		if h == hint {
			return true
		}
	}
	return false
}

// Field returns the field of that name, or nil.
func (t *Table) Field(name string) *Field {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return &t.Fields[i]
		}
	}
	return nil
}
