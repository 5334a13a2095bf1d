package mysql

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

// loader sends chunks with LOAD DATA LOCAL, which can parse the encoding of package
// rows.
type loader struct {
	columns, fullName string
	floats            []int // columns of 4-byte floats
	cells             [][]byte
	buf               []byte
}

func newLoader(fullName string, t *schema.Table) *loader {
	columns := make([]string, len(t.Columns))
	var set []string
	var floats []int
	for k := range t.Columns {
		c := &t.Columns[k]
		columns[k] = mysql.Ident(c.Name)
		if c.Type.Kind == schema.Float && c.Type.Size == 4 {
			floats = append(floats, k)
		}
		expression := mysql.FromCell(c, fmt.Sprintf("@c%d", k))
		if expression != "" {
			columns[k] = fmt.Sprintf("@c%d", k)
			set = append(set, mysql.Ident(c.Name)+" = "+expression)
		}
	}
	clause := " (" + strings.Join(columns, ", ") + ")"
	if len(set) > 0 {
		clause += " SET " + strings.Join(set, ", ")
	}
	return &loader{columns: clause, fullName: fullName, floats: floats}
}

// exact returns the rows with floats spelled so that the server parses them exactly.
// The result is valid until the next call. Most tables have no floats, and their rows
// are unchanged.
func (l *loader) exact(data []byte) ([]byte, error) {
	if len(l.floats) == 0 {
		return data, nil
	}
	l.buf = l.buf[:0]
	for {
		row, rest, ok, err := rows.Next(data)
		if !ok || err != nil {
			return l.buf, err
		}
		data = rest
		l.cells = rows.Split(l.cells, row)
		floats := l.floats
		for k, cell := range l.cells {
			if k > 0 {
				l.buf = append(l.buf, '\t')
			}
			if len(floats) > 0 && floats[0] == k {
				floats = floats[1:]
				l.buf = mysql.AppendFloat4(l.buf, cell)
				continue
			}
			l.buf = append(l.buf, cell...)
		}
		l.buf = append(l.buf, '\n')
	}
}

// load loads a chunk if the server accepts every row without a warning; otherwise it
// loads nothing of it.
func (l *loader) load(ctx context.Context, tx *sql.Tx, c stage.Chunk) (clean bool, err error) {
	data, err := l.exact(c.Data)
	if err != nil {
		return false, err
	}
	name := "vault-" + rand.Text()
	driver.RegisterReaderHandler(name, func() io.Reader { return bytes.NewReader(data) })
	defer driver.DeregisterReaderHandler(name)
	if _, err := tx.ExecContext(ctx, "SAVEPOINT chunk"); err != nil {
		return false, err
	}
	result, err := tx.ExecContext(ctx, "LOAD DATA LOCAL INFILE 'Reader::"+name+"' INTO TABLE "+mysql.Ident(l.fullName)+
		` CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n'`+l.columns)
	if err != nil && !mysql.RefusesRow(err) {
		return false, err
	}
	if err == nil {
		loaded, err := result.RowsAffected()
		if err != nil {
			return false, err
		}
		var warnings int
		if err := tx.QueryRowContext(ctx, "SELECT @@warning_count").Scan(&warnings); err != nil {
			return false, err
		}
		if warnings == 0 && loaded == int64(c.Rows) {
			return true, nil
		}
	}
	_, err = tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT chunk")
	return false, err
}
