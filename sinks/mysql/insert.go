package mysql

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"

	"github.com/lmsvault/vault/core/refused"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

// inserter writes rows with multi-row INSERTs, and finds rejected rows.
type inserter struct {
	table *schema.Table
	head  string // INSERT INTO … VALUES
	most  int    // maximum bytes of a statement
	batch int    // target bytes of a statement; a longer row is sent alone
	zeros []int  // columns that cannot hold -0
	equal string // hint for a row that the server treats as a duplicate
	cells [][]byte
	text  []byte
}

func newInserter(s *sink, t *table) inserter {
	const batch = 1 << 20
	most := s.server.MaxPacket - 1024 // protocol overhead
	var zeros []int
	for k := range t.Columns {
		if s.server.MariaDB && t.Columns[k].Type.Kind == schema.Float {
			zeros = append(zeros, k)
		}
	}
	return inserter{
		zeros: zeros,
		table: &t.Table,
		head:  "INSERT INTO " + mysql.Ident(t.at) + " (" + mysql.Idents(t.ColumnNames()) + ") VALUES ",
		most:  most, batch: min(batch, most), equal: s.equalHint(&t.Table),
	}
}

// chunk inserts all rows of a chunk and returns those that the server rejected.
func (in *inserter) chunk(ctx context.Context, tx *sql.Tx, c stage.Chunk) ([]stage.Loss, error) {
	var losses []stage.Loss
	var batch [][]byte
	size := 0
	flush := func() error {
		more, err := in.rows(ctx, tx, batch)
		losses = append(losses, more...)
		batch, size = batch[:0], 0
		return err
	}
	for data := c.Data; ; {
		row, rest, ok, err := rows.Next(data)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		data = rest
		if column := in.negativeZero(row); column != "" {
			losses = append(losses, refused.Loss(in.table, row, column, "MariaDB has no negative zero; it would become 0"))
			continue
		}
		if n := len(row) + len(row)/8 + 4*len(in.table.Columns); size+n > in.batch && len(batch) > 0 {
			if err := flush(); err != nil {
				return nil, err
			}
		}
		batch = append(batch, row)
		size += len(row) + len(row)/8 + 4*len(in.table.Columns)
	}
	return losses, flush()
}

// rows inserts rows with one statement. If the server rejects it, it tries each half,
// down to single rejected rows.
func (in *inserter) rows(ctx context.Context, tx *sql.Tx, batch [][]byte) ([]stage.Loss, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	in.text = append(in.text[:0], in.head...)
	for k, row := range batch {
		if k > 0 {
			in.text = append(in.text, ',')
		}
		if err := in.values(row); err != nil {
			return nil, err
		}
	}
	tooLong := len(in.text) > in.most
	var err error
	if !tooLong {
		_, err = tx.ExecContext(ctx, string(in.text))
	}
	switch {
	case !tooLong && err == nil:
		return nil, nil
	case err != nil && !mysql.RefusesRow(err):
		return nil, err
	case len(batch) > 1:
		half := len(batch) / 2
		first, err := in.rows(ctx, tx, batch[:half])
		if err != nil {
			return nil, err
		}
		second, err := in.rows(ctx, tx, batch[half:])
		return append(first, second...), err
	case tooLong:
		return []stage.Loss{refused.Loss(in.table, batch[0], "", fmt.Sprintf("the row needs a statement of %d bytes, but the server's max_allowed_packet is %d; raise it", len(in.text), in.most+1024))}, nil
	}
	if kept, emptyErr := in.emptyEnum(ctx, tx, batch[0]); kept || emptyErr != nil {
		return nil, emptyErr
	}
	reason := err.Error()
	if mysql.Number(err) == duplicate {
		reason += in.equal
	}
	return []stage.Loss{refused.Loss(in.table, batch[0], mysql.ColumnOf(err), reason)}, nil
}

// hasNegativeZero reports whether negativeZero finds a row in a chunk.
func (in *inserter) hasNegativeZero(data []byte) (bool, error) {
	if len(in.zeros) == 0 || !bytes.Contains(data, []byte("-0")) {
		return false, nil
	}
	for {
		row, rest, ok, err := rows.Next(data)
		if !ok || in.negativeZero(row) != "" {
			return ok, err
		}
		data = rest
	}
}

// negativeZero returns the column of a row that the server would silently change from
// -0 to 0, or "".
func (in *inserter) negativeZero(row []byte) string {
	if len(in.zeros) == 0 || !bytes.Contains(row, []byte("-0")) {
		return ""
	}
	in.cells = rows.Split(in.cells, row)
	for _, k := range in.zeros {
		if k < len(in.cells) && string(in.cells[k]) == "-0" {
			return in.table.Columns[k].Name
		}
	}
	return ""
}

// values appends a row as SQL. The escapes of a cell are also valid in string
// literals, so only quotes need escaping.
func (in *inserter) values(row []byte) error {
	in.cells = rows.Split(in.cells, row)
	if len(in.cells) != len(in.table.Columns) {
		return fmt.Errorf("a row has %d columns, but the table has %d", len(in.cells), len(in.table.Columns))
	}
	in.text = append(in.text, '(')
	for k, cell := range in.cells {
		if k > 0 {
			in.text = append(in.text, ',')
		}
		var err error
		if in.text, err = mysql.AppendLiteral(in.text, &in.table.Columns[k], cell); err != nil {
			return err
		}
	}
	in.text = append(in.text, ')')
	return nil
}
