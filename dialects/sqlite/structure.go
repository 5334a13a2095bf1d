package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/sqltext"
)

// Structure is what a database holds of one site.
type Structure struct {
	Tables []Table  // by name
	Others []string // tables and views of other programs and sites
	Losses []stage.Loss
	Notes  []stage.Note
	Ours   bool // Vault created the database, see ApplicationID
}

// Table is a table as it exists in a database.
type Table struct {
	schema.Table
	FullName string // including the prefix
	// RowidKey is set if the single column of the primary key is the rowid, which is
	// always an integer.
	RowidKey     bool
	WithoutRowid bool
}

// Names returns the full names of all tables.
func (s *Structure) Names() []string {
	names := slices.Clone(s.Others)
	for _, t := range s.Tables {
		names = append(names, t.FullName)
	}
	return names
}

// Inspect reads the structure of all tables with exactly that prefix, and lists what
// Vault cannot transfer.
func (c *Conn) Inspect(ctx context.Context, prefix string) (*Structure, error) {
	s := &Structure{}
	id, err := c.Query(ctx, "PRAGMA application_id")
	if err != nil {
		return nil, fmt.Errorf("%s: reading its application_id: %w", c.path, err)
	}
	s.Ours = len(id) == 1 && integerOf(id[0][0]) == ApplicationID
	list, err := c.Query(ctx, `SELECT l.name, l.type, l.wr, l.strict, m.sql FROM pragma_table_list l
		LEFT JOIN sqlite_master m ON m.name = l.name AND m.type IN ('table', 'view') WHERE l.schema = 'main' ORDER BY l.name`)
	if err != nil {
		return nil, fmt.Errorf("%s: reading its list of tables: %w", c.path, err)
	}
	for _, row := range list {
		full, kind := textOf(row[0]), textOf(row[1])
		path, ours := strings.CutPrefix(full, prefix)
		switch {
		case strings.HasPrefix(strings.ToLower(full), "sqlite_") || kind == "shadow":
			continue
		case !ours || path == "":
			s.Others = append(s.Others, full)
		case sqltext.Name(path) != nil:
			s.loss(stage.LossTable, strings.ToValidUTF8(path, "�"), "", fmt.Sprintf("the name %q is not UTF-8", path))
		case kind == "view":
			s.loss(stage.LossView, path, "", "a view: "+textOf(row[4]))
		case kind == "virtual":
			s.loss(stage.LossTable, path, "", "a virtual table, whose content only its module can read: "+textOf(row[4]))
		default:
			t := Table{Table: schema.Table{Name: path, Dialect: Dialect}, FullName: full, WithoutRowid: integerOf(row[2]) == 1}
			t.Options = options(t.WithoutRowid, integerOf(row[3]) == 1)
			if err := c.table(ctx, s, &t, textOf(row[4])); err != nil {
				return nil, fmt.Errorf("%s: reading the structure of %s: %w", c.path, full, err)
			}
			s.Tables = append(s.Tables, t)
		}
	}
	return s, c.triggers(ctx, s, prefix)
}

func (s *Structure) loss(kind stage.LossKind, table, where, reason string) {
	s.Losses = append(s.Losses, stage.Loss{Kind: kind, Path: stage.DB + "/" + table, Where: where, Reason: reason, Count: 1})
}

func (s *Structure) note(table, text string) {
	s.Notes = append(s.Notes, stage.Note{Path: stage.DB + "/" + table, Text: text})
}

func options(withoutRowid, strict bool) string {
	var list []string
	if withoutRowid {
		list = append(list, "WITHOUT ROWID")
	}
	if strict {
		list = append(list, "STRICT")
	}
	return strings.Join(list, ", ")
}

func (c *Conn) triggers(ctx context.Context, s *Structure, prefix string) error {
	list, err := c.Query(ctx, "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
	if err != nil {
		return fmt.Errorf("%s: reading its triggers: %w", c.path, err)
	}
	for _, row := range list {
		if table, ok := strings.CutPrefix(textOf(row[1]), prefix); ok {
			s.loss(stage.LossTrigger, table, "trigger "+textOf(row[0]), textOf(row[2]))
		}
	}
	return nil
}

// table reads the columns and keys of a table, and what cannot be transferred.
func (c *Conn) table(ctx context.Context, s *Structure, t *Table, sql string) error {
	info, err := c.Query(ctx, "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?)", t.FullName)
	if err != nil {
		return err
	}
	d := parseDefinition(sql)
	if len(d.columns) != len(info) {
		d.columns = make([]columnDefinition, len(info)) // the parsed definition is not reliable
	}
	type keyed struct {
		at   int64
		name string
	}
	var key []keyed
	auto := false
	for i, row := range info {
		column := schema.Column{Name: textOf(row[0]), Native: textOf(row[1]), Nullable: integerOf(row[2]) == 0}
		if hidden := integerOf(row[5]); hidden != 0 {
			s.loss(stage.LossColumn, t.Name, "column "+column.Name, "a generated column; its values are computed from others")
			continue
		}
		if err := sqltext.Value(column.Name); err != nil {
			s.loss(stage.LossColumn, t.Name, fmt.Sprintf("column %q", column.Name), "name: "+err.Error())
			continue
		}
		column.Type = ParseType(column.Native)
		if err := sqltext.Value(column.Native); err != nil {
			s.note(t.Name, fmt.Sprintf("column %s: declared type %q becomes %s: %v", column.Name, column.Native, DeclaredType(column.Type), err))
			column.Native = ""
		}
		if textOf(row[1]) == "" {
			column.Type = schema.Type{Kind: schema.Text}
		}
		if strings.Contains(t.Options, "STRICT") {
			strict(&column)
		}
		if told := ParseType(d.columns[i].remark); spelledAs(told, column.Native) {
			column.Type = told
		}
		if collation := d.columns[i].collation; !strings.EqualFold(collation, "BINARY") {
			column.Collation = collation
		}
		if at := integerOf(row[4]); at > 0 {
			key = append(key, keyed{at, column.Name})
			column.Nullable = column.Nullable && !t.WithoutRowid
		}
		auto = auto || d.columns[i].autoincrement
		column.Default = defaultOf(textOf(row[3]), row[3] == nil, &column.Type)
		if err := RefuseDefault(&t.Table, &column); err != nil {
			s.loss(stage.LossDefault, t.Name, "column "+column.Name, fmt.Sprintf("its default %.200q is not supported: %v", textOf(row[3]), err))
			column.Default = nil
		}
		t.Columns = append(t.Columns, column)
	}
	slices.SortFunc(key, func(a, b keyed) int { return int(a.at - b.at) })
	for _, k := range key {
		t.PrimaryKey = append(t.PrimaryKey, k.name)
	}
	for _, check := range d.checks {
		s.loss(stage.LossConstraint, t.Name, "", check)
	}
	if err := c.rowid(ctx, t, auto); err != nil {
		return err
	}
	if err := c.foreignKeys(ctx, s, t); err != nil {
		return err
	}
	return c.indexes(ctx, s, t)
}

// strict adjusts a type of a STRICT table: INT has eight bytes there, and ANY is
// transferred as text (sqlite.org, "STRICT Tables").
func strict(c *schema.Column) {
	switch strings.ToUpper(c.Native) {
	case "INT":
		c.Type = schema.Type{Kind: schema.Int, Size: 8}
	case "ANY":
		c.Type, c.Native = schema.Type{Kind: schema.Text}, ""
	}
}

// spelledAs reports whether a type in a comment is one that Vault writes after this
// declared type.
func spelledAs(t schema.Type, declared string) bool {
	if strings.EqualFold(declared, "INTEGER") {
		return t.Kind == schema.Int
	}
	word := words[t.Kind]
	return (t.Kind == schema.Enum || t.Kind == schema.Set) && strings.EqualFold(declared, word)
}

// rowid determines whether the key is the rowid, and the value of the next row.
func (c *Conn) rowid(ctx context.Context, t *Table, auto bool) error {
	if t.WithoutRowid || len(t.PrimaryKey) != 1 {
		return nil
	}
	column := t.Column(t.PrimaryKey[0])
	if column == nil || !strings.EqualFold(column.Native, "INTEGER") {
		return nil
	}
	// INTEGER PRIMARY KEY DESC is an ordinary key with its own index.
	own, err := c.Query(ctx, "SELECT 1 FROM pragma_index_list(?) WHERE origin = 'pk'", t.FullName)
	if err != nil || len(own) > 0 {
		return err
	}
	t.RowidKey, column.Nullable = true, false
	query := "SELECT max(" + Quote(column.Name) + ") FROM " + Quote(t.FullName)
	args := []driver.Value{}
	if auto {
		query, args = "SELECT seq FROM sqlite_sequence WHERE name = ?", []driver.Value{t.FullName}
	}
	last, err := c.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	t.Sequence = &schema.Sequence{Column: column.Name, Next: 1}
	if len(last) > 0 && last[0][0] != nil {
		t.Sequence.Next = uint64(max(integerOf(last[0][0]), 0)) + 1
	}
	return nil
}

func (c *Conn) foreignKeys(ctx context.Context, s *Structure, t *Table) error {
	list, err := c.Query(ctx, `SELECT id, "table", group_concat("from", ', ') FROM pragma_foreign_key_list(?) GROUP BY id, "table" ORDER BY id`, t.FullName)
	if err != nil {
		return err
	}
	for _, row := range list {
		s.loss(stage.LossConstraint, t.Name, "foreign key "+textOf(row[2]), "a foreign key to "+textOf(row[1]))
	}
	return nil
}

func textOf(v driver.Value) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

func integerOf(v driver.Value) int64 {
	n, _ := v.(int64)
	return n
}
