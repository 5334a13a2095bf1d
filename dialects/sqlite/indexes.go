package sqlite

import (
	"context"
	"database/sql/driver"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// indexes reads the secondary indexes of a table, including those of UNIQUE
// constraints.
func (c *Conn) indexes(ctx context.Context, s *Structure, t *Table) error {
	list, err := c.Query(ctx, `SELECT i.name, i."unique", i.partial, m.sql FROM pragma_index_list(?) i
		LEFT JOIN sqlite_master m ON m.type = 'index' AND m.name = i.name WHERE i.origin <> 'pk' ORDER BY i.seq DESC`, t.FullName)
	if err != nil {
		return err
	}
	for _, row := range list {
		x := schema.Index{Name: textOf(row[0]), Unique: integerOf(row[1]) == 1}
		columns, err := c.Query(ctx, `SELECT cid, name, "desc", coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno`, x.Name)
		if err != nil {
			return err
		}
		native := integerOf(row[2]) == 1
		for _, col := range columns {
			name := textOf(col[1])
			carried := t.Column(name)
			native = native || integerOf(col[0]) < 0 || carried == nil || !strings.EqualFold(textOf(col[3]), collationOf(carried))
			x.Columns = append(x.Columns, schema.IndexColumn{Name: name, Desc: integerOf(col[2]) == 1})
		}
		if native {
			x.Columns, x.Native = nil, nativeIndex(textOf(row[3]), columns)
		}
		if _, err := CreateIndex(&t.Table, t.FullName, &x, x.Name); err != nil {
			s.loss(stage.LossIndex, t.Name, "index "+strings.ToValidUTF8(x.Name, "�"), err.Error())
			continue
		}
		t.Indexes = append(t.Indexes, x)
	}
	return nil
}

func collationOf(c *schema.Column) string {
	if c.Collation == "" {
		return "BINARY"
	}
	return c.Collation
}

// nativeIndex returns what follows the table's name in an index's SQL. The index of a
// constraint has no SQL, so it is composed.
func nativeIndex(sql string, columns [][]driver.Value) string {
	for _, t := range tokens(sql) {
		if isOther(t, "(") {
			return sql[t.start:]
		}
	}
	var parts []string
	for _, col := range columns {
		parts = append(parts, Quote(textOf(col[1]))+" COLLATE "+Quote(textOf(col[3])))
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
