package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// part is one column of an index, a row of information_schema.STATISTICS.
type part struct {
	table, index, method, visible   string
	comment                         string
	column, expression, order, uniq string
	prefix, seq                     int
}

// together sorts parts by table, index and position. Tables and indexes keep their
// order: MariaDB returns the indexes of a table in the order of its keys.
func together(parts []part) []part {
	type key struct{ table, index string }
	tables, indexes := map[string]int{}, map[key]int{}
	for n, p := range parts {
		if _, ok := tables[p.table]; !ok {
			tables[p.table] = n
		}
		if _, ok := indexes[key{p.table, p.index}]; !ok {
			indexes[key{p.table, p.index}] = n
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(tables[a.table], tables[b.table]),
			cmp.Compare(indexes[key{a.table, a.index}], indexes[key{b.table, b.index}]), cmp.Compare(a.seq, b.seq))
	})
	return parts
}

func (i *inspection) indexes(ctx context.Context) error {
	expression, visible := "COALESCE(EXPRESSION,'')", "IS_VISIBLE"
	if i.MariaDB {
		expression, visible = "''", "IF(IGNORED = 'YES', 'NO', 'YES')"
	}
	var p part
	var parts []part
	err := i.each(ctx, func() {
		if i.byName[p.table] != nil {
			parts = append(parts, p)
		}
	}, `SELECT TABLE_NAME, INDEX_NAME, INDEX_TYPE, `+visible+`, COALESCE(COLUMN_NAME,''), `+expression+`, COALESCE(COLLATION,''), IF(NON_UNIQUE, '', 'U'), COALESCE(SUB_PART,0), COALESCE(INDEX_COMMENT,''), SEQ_IN_INDEX
		FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE()`,
		&p.table, &p.index, &p.method, &p.visible, &p.column, &p.expression, &p.order, &p.uniq, &p.prefix, &p.comment, &p.seq)
	if err != nil {
		return err
	}
	parts = together(parts)
	for from := 0; from < len(parts); {
		to := from + 1
		for to < len(parts) && parts[to].table == parts[from].table && parts[to].index == parts[from].index {
			to++
		}
		i.index(parts[from:to])
		from = to
	}
	return nil
}

func (i *inspection) index(parts []part) {
	t, first := i.byName[parts[0].table], parts[0]
	if slices.ContainsFunc(parts, func(p part) bool { return p.column != "" && t.Column(p.column) == nil }) {
		i.loss(stage.LossIndex, t.Name, first.index, "an index on a generated column")
		return
	}
	if first.visible == "NO" {
		i.note(t.Name, "index "+first.index+" is invisible to the optimizer and becomes visible")
	}
	x := schema.Index{Name: first.index, Unique: first.uniq != "", Comment: first.comment}
	if first.method != "BTREE" && first.method != "HASH" {
		x.Method = first.method
	}
	var functional bool
	for _, p := range parts {
		functional = functional || p.expression != ""
		c := schema.IndexColumn{Name: p.column, Prefix: p.prefix, Desc: p.order == "D"}
		if x.Method == "SPATIAL" {
			c.Prefix = 0 // the server's value is not a prefix here
		}
		x.Columns = append(x.Columns, c)
	}
	if functional {
		x.Native = nativeIndex(x, parts)
		if err := refuseIndexText(&t.Table, x.Native); err != nil {
			i.loss(stage.LossIndex, t.Name, first.index, fmt.Sprintf("its definition %.200q is not supported: %v", x.Native, err))
			return
		}
		x.Columns = slices.DeleteFunc(x.Columns, func(c schema.IndexColumn) bool { return c.Name == "" })
	}
	if first.index != "PRIMARY" {
		t.Indexes = append(t.Indexes, x)
		return
	}
	for _, c := range x.Columns {
		t.PrimaryKey = append(t.PrimaryKey, c.Name)
		if c.Prefix > 0 {
			i.note(t.Name, fmt.Sprintf("its primary key covers only the first %d characters of %s; it will cover all", c.Prefix, c.Name))
		}
	}
}

// nativeIndex writes the definition of an index with expressions (MySQL 8).
func nativeIndex(x schema.Index, parts []part) string {
	var columns []string
	for k, p := range parts {
		text := "(" + unescapeAll(p.expression) + ")"
		if p.expression == "" {
			text = indexColumn(x.Columns[k])
		} else if p.order == "D" {
			text += " DESC"
		}
		columns = append(columns, text)
	}
	return "(" + strings.Join(columns, ", ") + ")"
}

func indexColumn(c schema.IndexColumn) string {
	text := Ident(c.Name)
	if c.Prefix > 0 {
		text += fmt.Sprintf("(%d)", c.Prefix)
	}
	if c.Desc {
		text += " DESC"
	}
	return text
}

// OrderIndexes sorts the indexes of each table into the order of its keys, which
// MySQL's catalog lacks; on MariaDB Inspect does that. It runs one query for each
// table with several indexes.
func (s *Server) OrderIndexes(ctx context.Context, st *Structure) error {
	if s.MariaDB {
		return nil
	}
	for k := range st.Tables {
		t := &st.Tables[k]
		if len(t.Indexes) < 2 {
			continue
		}
		order, err := s.keys(ctx, t.FullName)
		if err != nil {
			return fmt.Errorf("%s: reading the key order of %s: %w", s.Address, t.FullName, err)
		}
		slices.SortStableFunc(t.Indexes, func(a, b schema.Index) int {
			return cmp.Compare(slices.Index(order, a.Name), slices.Index(order, b.Name))
		})
	}
	return nil
}

// keys lists the names of a table's keys in order.
func (s *Server) keys(ctx context.Context, fullName string) (names []string, err error) {
	rows, err := s.QueryContext(ctx, "SHOW INDEX FROM "+Ident(fullName))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	const name = 2 // Table, Non_unique, Key_name
	cells := make([]sql.RawBytes, len(columns))
	into := make([]any, len(columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		names = append(names, string(cells[name]))
	}
	return names, rows.Err()
}
