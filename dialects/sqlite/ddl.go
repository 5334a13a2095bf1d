package sqlite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/dialects/sqltext"
)

// CreateTable writes the DDL of a table under its full name, without indexes and
// without the defaults that RefuseDefault refuses. It returns an error for names and
// options that cannot be written.
func CreateTable(t *schema.Table, fullName string) (string, error) {
	if err := refuse(t); err != nil {
		return "", fmt.Errorf("table %.100q: %w", fullName, err)
	}
	var parts []string
	rowid := RowidKey(t)
	descending := !rowid && descendingKey(t)
	for i := range t.Columns {
		part := "\t" + column(t, &t.Columns[i], rowid)
		if descending && t.Columns[i].Name == t.PrimaryKey[0] {
			part += " PRIMARY KEY DESC"
		}
		parts = append(parts, part)
	}
	if len(t.PrimaryKey) > 0 && !rowid && !descending {
		var key []string
		for _, k := range t.PrimaryKey {
			key = append(key, Quote(k))
		}
		parts = append(parts, "\tPRIMARY KEY ("+strings.Join(key, ", ")+")")
	}
	sql := "CREATE TABLE " + Quote(fullName) + " (\n" + strings.Join(parts, ",\n") + "\n)"
	if t.Dialect == Dialect && t.Options != "" {
		sql += " " + t.Options
	}
	return sql, nil
}

// RowidKey reports whether the table's key becomes SQLite's rowid: a single integer
// with a sequence.
func RowidKey(t *schema.Table) bool {
	c, ok := t.IntegerKey()
	return ok && t.Sequence != nil && t.Sequence.Column == c.Name && !strings.Contains(t.Options, "WITHOUT ROWID")
}

// descendingKey reports whether the key was declared INTEGER PRIMARY KEY DESC. Only
// then is a single INTEGER an ordinary key, which can be NULL, and not the rowid
// (sqlite.org, "CREATE TABLE", "ROWIDs and the INTEGER PRIMARY KEY").
func descendingKey(t *schema.Table) bool {
	if t.Dialect != Dialect || len(t.PrimaryKey) != 1 || strings.Contains(t.Options, "WITHOUT ROWID") {
		return false
	}
	c := t.Column(t.PrimaryKey[0])
	return c != nil && strings.EqualFold(c.Native, "INTEGER")
}

func column(t *schema.Table, c *schema.Column, rowid bool) string {
	declared := DeclaredType(c.Type)
	if t.Dialect == Dialect && c.Native != "" {
		declared = writtenType(c.Native)
	}
	note := ""
	switch {
	case rowid && t.PrimaryKey[0] == c.Name:
		// Only the keyword INTEGER makes a key the rowid; the type follows in a
		// comment.
		if full := DeclaredType(c.Type); full != "BIGINT" {
			note = full
		}
		declared = "INTEGER"
	case c.Type.Kind == schema.Enum || c.Type.Kind == schema.Set:
		if declared = words[c.Type.Kind]; len(c.Type.Values) > 0 {
			note = DeclaredType(c.Type)
		}
	}
	sql := Quote(c.Name) + " " + declared
	if note != "" && !strings.Contains(note, "*/") && sqltext.Value(note) == nil {
		sql += " /* " + note + " */"
	}
	if rowid && t.PrimaryKey[0] == c.Name {
		return sql + " PRIMARY KEY AUTOINCREMENT NOT NULL"
	}
	if t.Dialect == Dialect && KnownCollation(c.Collation) {
		sql += " COLLATE " + c.Collation
	}
	if !c.Nullable {
		sql += " NOT NULL"
	}
	if c.Default != nil {
		if text, err := defaultSQL(c.Default, &c.Type, t.Dialect); err == nil {
			sql += " DEFAULT " + text
		}
	}
	return sql
}

// RefuseDefault returns why SQLite cannot have the column's default, or nil.
func RefuseDefault(t *schema.Table, c *schema.Column) error {
	if c.Default == nil {
		return nil
	}
	_, err := defaultSQL(c.Default, &c.Type, t.Dialect)
	return err
}

// KnownCollation reports whether every SQLite has a collation.
func KnownCollation(name string) bool {
	return slices.Contains([]string{"BINARY", "NOCASE", "RTRIM"}, strings.ToUpper(name))
}

// CreateIndex writes the DDL of an index under a name, or returns why SQLite cannot
// have it.
func CreateIndex(t *schema.Table, fullTable string, x *schema.Index, name string) (string, error) {
	kind := "INDEX"
	if x.Unique {
		kind = "UNIQUE INDEX"
	}
	sql := "CREATE " + kind + " " + Quote(name) + " ON " + Quote(fullTable) + " "
	if err := sqltext.Name(name); err != nil {
		return "", fmt.Errorf("name: %w", err)
	}
	if x.Native != "" && t.Dialect == Dialect {
		if err := refuseIndexText(t, x.Native); err != nil {
			return "", fmt.Errorf("its definition %.100q is not supported: %w", x.Native, err)
		}
		return sql + x.Native, nil
	}
	if x.EngineOwn() {
		return "", fmt.Errorf("SQLite has no such index: %s", strings.TrimSpace(x.Method+" "+x.Native))
	}
	var parts []string
	for _, c := range x.Columns {
		if t.Column(c.Name) == nil {
			return "", fmt.Errorf("no column %s", c.Name)
		}
		if c.Prefix > 0 && x.Unique {
			return "", fmt.Errorf("SQLite cannot enforce uniqueness of the first %d characters of %s", c.Prefix, c.Name)
		}
		part := Quote(c.Name)
		if c.Desc {
			part += " DESC"
		}
		parts = append(parts, part)
	}
	return sql + "(" + strings.Join(parts, ", ") + ")", nil
}
