package mysql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// Writer writes tables as DDL for one server.
type Writer struct {
	Server     *Server
	Collations Collations
	Prefix     string // of the target site
	FromPrefix string // of the existing index names
	KeepNames  bool   // the tables, and so their index names, come from this dialect
	Collation  string // of tables without one, such as those of other engines; "" chooses it in Default
}

// Definition is a table as DDL, in the order in which a restore runs it.
type Definition struct {
	body   string   // the text after the name in CREATE TABLE
	alters []string // the text after the name in ALTER TABLE
	Notes  []string // differences from the original table
}

// Create returns the statement that creates the table under a full name, with the
// primary key and the indexes that must exist while rows are loaded.
func (d *Definition) Create(fullName string) string {
	return "CREATE TABLE " + Ident(fullName) + " " + d.body
}

// Indexes returns the statements that add the other indexes to the table.
func (d *Definition) Indexes(fullName string) []string {
	statements := make([]string, len(d.alters))
	for k, what := range d.alters {
		statements[k] = "ALTER TABLE " + Ident(fullName) + " " + what
	}
	return statements
}

// Define writes a table without what Losses lists. It returns an error for a name,
// type or option that the grammar does not allow; Refuse reports all of these.
func (w *Writer) Define(t *schema.Table) (Definition, error) {
	d := Definition{}
	if err := refuseWords(t); err != nil {
		return d, fmt.Errorf("table %.100q: %w", t.Name, err)
	}
	var lines []string
	for k := range t.Columns {
		lines = append(lines, w.column(t, &t.Columns[k], &d))
	}
	if len(t.PrimaryKey) > 0 {
		lines = append(lines, "PRIMARY KEY ("+Idents(t.PrimaryKey)+")")
	}
	names := IndexNames(t, w.FromPrefix, w.Prefix, w.KeepNames)
	var later []string
	early := early(t)
	for k, x := range t.Indexes {
		if w.refuseIndex(t, &x) != "" {
			continue // Check has listed it as a loss
		}
		text := indexKind(&x) + " " + Ident(names[k]) + " " + indexColumns(&x)
		if x.Comment != "" {
			text += " COMMENT " + Literal(x.Comment)
		}
		switch {
		case early(k):
			lines = append(lines, text)
		case x.Method == "FULLTEXT": // InnoDB builds one FULLTEXT index at a time
			d.alters = append(d.alters, "ADD "+text)
		default:
			later = append(later, "ADD "+text)
		}
	}
	if len(later) > 0 {
		d.alters = append([]string{strings.Join(later, ", ")}, d.alters...)
	}
	d.body = "(\n  " + strings.Join(lines, ",\n  ") + "\n) ENGINE=InnoDB" + w.options(t, &d)
	return d, nil
}

func (w *Writer) options(t *schema.Table, d *Definition) string {
	var b strings.Builder
	if t.Sequence != nil && t.Sequence.Next > 1 {
		fmt.Fprintf(&b, " AUTO_INCREMENT=%d", t.Sequence.Next)
	}
	collation := w.collation(t.Collation, "the table", d)
	fmt.Fprintf(&b, " DEFAULT CHARACTER SET %s COLLATE %s", charsetOf(collation), collation)
	if t.Options != "" {
		b.WriteString(" " + t.Options)
	}
	if t.Comment != "" {
		b.WriteString(" COMMENT=" + Literal(t.Comment))
	}
	return b.String()
}

// Default returns the collation of tables that have none: the configured one, else
// the database's if it covers all of Unicode, else Moodle's.
func (w *Writer) Default() string {
	switch {
	case w.Collation != "":
		return w.Collation
	case charsetOf(w.Server.Collation) == "utf8mb4":
		return w.Server.Collation
	}
	return "utf8mb4_unicode_ci"
}

// collation returns this server's collation for a name, which may be empty.
func (w *Writer) collation(name, of string, d *Definition) string {
	if name == "" {
		return w.Default()
	}
	nearest, ok := w.Collations.Nearest(name)
	if !ok {
		nearest = "utf8mb4_unicode_ci"
	}
	if nearest != name {
		d.Notes = append(d.Notes, fmt.Sprintf("this server has no collation %s; %s gets %s", name, of, nearest))
	}
	return nearest
}

func charsetOf(collation string) string {
	charset, _, _ := strings.Cut(collation, "_")
	return charset
}

func (w *Writer) column(t *schema.Table, c *schema.Column, d *Definition) string {
	var b strings.Builder
	b.WriteString(Ident(c.Name) + " ")
	native, check := w.native(c, d)
	b.WriteString(native)
	if collation := w.columnCollation(t, c, native, d); collation != "" {
		fmt.Fprintf(&b, " CHARACTER SET %s COLLATE %s", charsetOf(collation), collation)
	}
	if c.Nullable {
		b.WriteString(" NULL")
	} else {
		b.WriteString(" NOT NULL")
	}
	if t.Sequence != nil && t.Sequence.Column == c.Name {
		b.WriteString(" AUTO_INCREMENT")
	} else {
		b.WriteString(w.Server.writeDefault(t, c) + onUpdate(c))
	}
	if c.Comment != "" {
		b.WriteString(" COMMENT " + Literal(c.Comment))
	}
	return b.String() + check
}

// columnCollation returns the collation that a column must name, or "" if it has none
// or the table's.
func (w *Writer) columnCollation(t *schema.Table, c *schema.Column, native string, d *Definition) string {
	name := c.Collation
	if c.Type.Kind == schema.JSON {
		name = "utf8mb4_bin" // the collation of MariaDB's JSON
	}
	if !hasCharset(native) || name == "" || name == t.Collation {
		return ""
	}
	return w.collation(name, "column "+c.Name, d)
}

// native spells a column's type for this server. MySQL's JSON stores parsed documents
// and reformats them, MariaDB's keeps their text. MariaDB's JSON therefore becomes
// text on MySQL, so that no byte changes.
func (w *Writer) native(c *schema.Column, d *Definition) (native, check string) {
	n, err := parseNative(c.Native)
	if err != nil {
		return "", "" // checked by Define
	}
	if n.srid != "" && w.Server.MariaDB {
		n.srid = ""
		d.Notes = append(d.Notes, "column "+c.Name+": MariaDB has no SRID for a column; each value keeps its own")
	}
	native = n.String()
	if c.Type.Kind != schema.JSON {
		return native, ""
	}
	switch {
	case w.Server.MariaDB:
		return "longtext", " CHECK (json_valid(" + Ident(c.Name) + "))"
	case baseName(native) != "json":
		d.Notes = append(d.Notes, "column "+c.Name+": JSON of MariaDB stays text, because MySQL's JSON type would reformat it")
	}
	return native, ""
}

// AsPlanned converts the description of a table written by Define to the terms of its
// plan: JSON from MariaDB is text on MySQL, see native.
func (w *Writer) AsPlanned(planned *schema.Table, there schema.Table) schema.Table {
	if w.Server.MariaDB {
		return there
	}
	there.Columns = slices.Clone(there.Columns)
	for k := range there.Columns {
		c := &there.Columns[k]
		p := planned.Column(c.Name)
		if p != nil && p.Type.Kind == schema.JSON && baseName(p.Native) == "longtext" && c.Type.Kind == schema.Text && c.Type.Length == 0 {
			c.Type = p.Type
		}
	}
	return there
}

func hasCharset(native string) bool {
	switch baseName(native) {
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set":
		return true
	}
	return false
}

func indexKind(x *schema.Index) string {
	switch {
	case x.Method != "":
		return x.Method + " KEY"
	case x.Unique:
		return "UNIQUE KEY"
	}
	return "KEY"
}

func indexColumns(x *schema.Index) string {
	if x.Native != "" {
		return x.Native
	}
	columns := make([]string, len(x.Columns))
	for k, c := range x.Columns {
		columns[k] = indexColumn(c)
	}
	return "(" + strings.Join(columns, ", ") + ")"
}

// early reports which indexes of a table must exist before rows are loaded. To keep
// the order of keys, it includes all indexes before them.
func early(t *schema.Table) func(k int) bool {
	lastUnique, last := -1, -1
	for k := range t.Indexes {
		switch x := &t.Indexes[k]; {
		case !needed(t, x):
		case x.Unique:
			lastUnique = k
		default:
			last = k
		}
	}
	return func(k int) bool {
		if t.Indexes[k].Unique {
			return k <= lastUnique
		}
		return k <= last && t.Indexes[k].Method != "FULLTEXT"
	}
}

// needed reports whether an index must exist before rows are loaded: the index of a
// sequence's column, which the server requires, and unique indexes on text. A
// collation may treat rows as equal that were distinct in the source; such a row is
// then rejected and can be reported.
func needed(t *schema.Table, x *schema.Index) bool {
	if s := t.Sequence; s != nil && !(len(t.PrimaryKey) > 0 && t.PrimaryKey[0] == s.Column) && len(x.Columns) > 0 && x.Columns[0].Name == s.Column && x.Method == "" && x.Native == "" {
		return true
	}
	return x.Unique && (x.Native != "" || slices.ContainsFunc(x.Columns, func(c schema.IndexColumn) bool {
		column := t.Column(c.Name)
		return column != nil && hasCharset(column.Native)
	}))
}
