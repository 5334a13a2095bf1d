package mysql

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/sqltext"
)

// Limits of both engines (MySQL manual, "InnoDB Limits" and "Limits on Table Column Count and Row Size").
const (
	maxKeyBytes = 3072  // of an index, for InnoDB pages of 16 KiB
	maxRowBytes = 65535 // of a row without TEXT and BLOB values
	pointer     = 12    // bytes of TEXT and BLOB in a row
)

// Refuse returns the reason why the server cannot hold a table, or "".
func (w *Writer) Refuse(t *schema.Table) string {
	if t.Dialect != Dialect {
		return fmt.Sprintf("table %s has the dialect %q instead of mysql; the transform typemap must come first", t.Name, t.Dialect)
	}
	if err := refuseWords(t); err != nil {
		return fmt.Sprintf("table %.100q: %v", t.Name, err)
	}
	if name := w.Prefix + t.Name; utf8.RuneCountInString(name) > MaxName {
		return fmt.Sprintf("table %s: the name is longer than %d characters", name, MaxName)
	} else if strings.HasSuffix(name, " ") {
		return fmt.Sprintf("table %q: the name ends with a space, which the server does not allow", name)
	} else if t.Name == Marker || beside(t.Name) {
		return fmt.Sprintf("table %s: Vault uses this name during a restore", name)
	}
	if w.Server.NeedsKey && len(t.PrimaryKey) == 0 {
		return fmt.Sprintf("table %s has no primary key, but the server requires one (sql_require_primary_key or innodb_force_primary_key)", t.Name)
	}
	if w.Server.MakesKeys && len(t.PrimaryKey) == 0 {
		return fmt.Sprintf("table %s has no primary key; the server would add an invisible one (%s), and the user may not turn that off; SET PERSIST %[2]s = OFF, or GRANT SESSION_VARIABLES_ADMIN ON *.* to the user", t.Name, ownKeys.name)
	}
	if len(t.Columns) == 0 {
		return fmt.Sprintf("table %s has no columns, which %s does not allow", t.Name, w.Server.Engine())
	}
	row := 0
	names := map[string]string{}
	for k := range t.Columns {
		c := &t.Columns[k]
		if reason := w.refuseColumn(c); reason != "" {
			return fmt.Sprintf("table %s, column %s: %s", t.Name, c.Name, reason)
		}
		folded := strings.ToLower(c.Name)
		if twin, ok := names[folded]; ok {
			return fmt.Sprintf("table %s: columns %q and %q differ only in case, which %s does not distinguish", t.Name, twin, c.Name, w.Server.Engine())
		}
		names[folded] = c.Name
		row += w.width(t, c)
	}
	if row > maxRowBytes {
		return fmt.Sprintf("table %s: its columns need %d bytes of a row; the server allows %d", t.Name, row, maxRowBytes)
	}
	key := schema.Index{}
	for _, name := range t.PrimaryKey {
		key.Columns = append(key.Columns, schema.IndexColumn{Name: name})
	}
	if reason := w.refuseIndex(t, &key); reason != "" {
		return fmt.Sprintf("table %s, primary key: %s", t.Name, reason)
	}
	return ""
}

// Losses lists the indexes of a table that the server cannot have and the defaults
// that the grammar does not allow.
func (w *Writer) Losses(t *schema.Table) []stage.Loss {
	var losses []stage.Loss
	for k := range t.Columns {
		c := &t.Columns[k]
		if t.Sequence != nil && t.Sequence.Column == c.Name {
			continue
		}
		if err := cmp.Or(refuseDefault(t, c), w.Server.lacks(c)); err != nil {
			losses = append(losses, stage.LostDefault(t.Name, c.Name, fmt.Sprintf("the default %.100q is not supported: %v", c.Default.Value, err)))
		}
		if err := refuseOnUpdate(c); err != nil {
			losses = append(losses, stage.LostDefault(t.Name, c.Name, err.Error()))
		}
	}
	for _, x := range t.Indexes {
		if reason := w.refuseIndex(t, &x); reason != "" {
			losses = append(losses, stage.LostIndex(t.Name, x.Name, reason))
		}
	}
	return losses
}

func (w *Writer) refuseColumn(c *schema.Column) string {
	switch {
	case utf8.RuneCountInString(c.Name) > MaxName:
		return fmt.Sprintf("the name is longer than %d characters", MaxName)
	case c.Name == "" || strings.HasSuffix(c.Name, " "):
		return fmt.Sprintf("the name %q is empty or ends with a space, which the server does not allow", c.Name)
	}
	known := true
	switch baseName(c.Native) {
	case "uuid":
		known = w.Server.MariaDB && w.Server.atLeast(10, 7)
	case "inet6":
		known = w.Server.MariaDB
	case "inet4":
		known = w.Server.MariaDB && w.Server.atLeast(10, 10)
	case "vector":
		known = w.Server.MariaDB && w.Server.atLeast(11, 7) || !w.Server.MariaDB && w.Server.atLeast(9, 0)
	case "varchar":
		if c.Type.Length > maxRowBytes {
			return "is longer than 65535"
		}
	}
	if !known {
		return w.Server.Engine() + " has no type " + c.Native
	}
	return ""
}

func (w *Writer) refuseIndex(t *schema.Table, x *schema.Index) string {
	if err := sqltext.Value(x.Name); err != nil {
		return fmt.Sprintf("name: %v", err)
	}
	if err := sqltext.Value(x.Comment); err != nil {
		return fmt.Sprintf("comment: %v", err)
	}
	switch {
	case x.Native != "" && w.Server.MariaDB:
		return "MariaDB has no indexes on expressions"
	case x.Native != "" && x.Method != "":
		return "an index on expressions cannot use " + x.Method
	case x.Native != "":
		if err := refuseIndexText(t, x.Native); err != nil {
			return fmt.Sprintf("its definition %.100q is not supported: %v", x.Native, err)
		}
		return ""
	case slices.ContainsFunc(x.Columns, func(c schema.IndexColumn) bool { return c.Operators != "" || c.TextSearch != "" }):
		return "only PostgreSQL has operator classes and text search indexes"
	case x.Method == "FULLTEXT", x.Method == "SPATIAL":
		return ""
	case x.Method == "VECTOR" && w.Server.MariaDB && w.Server.atLeast(11, 7):
		return ""
	case x.Method != "":
		return w.Server.Engine() + " has no index method " + x.Method
	}
	bytes := 0
	for _, part := range x.Columns {
		c := t.Column(part.Name)
		if c == nil {
			return "no column " + part.Name
		}
		unlimited := strings.HasSuffix(baseName(c.Native), "text") || strings.HasSuffix(baseName(c.Native), "blob")
		switch {
		case part.Prefix > 0:
			bytes += part.Prefix * w.charBytes(t, c)
		case c.Type.Kind == schema.JSON || unlimited:
			return "column " + c.Name + " is unlimited text, which cannot be indexed in full"
		default:
			bytes += w.keyBytes(t, c)
		}
	}
	if bytes > maxKeyBytes {
		return fmt.Sprintf("its key needs %d bytes; InnoDB allows %d", bytes, maxKeyBytes)
	}
	return ""
}

// keyBytes returns the maximum number of bytes a column needs in a key, where the
// length of variable-length values does not count.
func (w *Writer) keyBytes(t *schema.Table, c *schema.Column) int {
	switch c.Type.Kind {
	case schema.Char:
		return c.Type.Length * w.charBytes(t, c)
	case schema.Binary:
		return c.Type.Length
	}
	return w.width(t, c)
}

// width returns the maximum number of bytes a column needs in a row.
func (w *Writer) width(t *schema.Table, c *schema.Column) int {
	switch c.Type.Kind {
	case schema.Int, schema.Float:
		return c.Type.Size
	case schema.Decimal:
		return c.Type.Length/2 + 2
	case schema.Char:
		return c.Type.Length*w.charBytes(t, c) + 2
	case schema.Binary:
		if base := baseName(c.Native); base == "binary" || base == "varbinary" {
			return c.Type.Length + 2
		}
		return pointer
	case schema.Text, schema.JSON, schema.Other:
		return pointer
	case schema.UUID:
		return 16
	}
	return 8
}

// charBytes returns the maximum number of bytes of a character in a column.
func (w *Writer) charBytes(t *schema.Table, c *schema.Column) int {
	if !hasCharset(c.Native) {
		return 1
	}
	collation := c.Collation
	if collation == "" {
		collation = t.Collation
	}
	switch charsetOf(w.collation(collation, "", &Definition{})) {
	case "utf8mb4", "utf16", "utf16le", "utf32", "gb18030":
		return 4
	case "utf8mb3", "utf8", "ujis", "eucjpms":
		return 3
	case "ucs2", "big5", "gbk", "sjis", "cp932", "gb2312", "euckr":
		return 2
	}
	return 1
}
