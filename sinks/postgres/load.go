package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lmsvault/vault/core/refused"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/dialects/postgres"
)

// loader copies chunks into a table within a transaction.
type loader struct {
	table    *schema.Table
	conn     *postgres.Conn
	copyFrom string

	loaded  int64 // rows so far, including rejected ones
	refused refused.Rows
}

// load copies rows. If the server rejects one, it loads those before it, skips it,
// and continues after it.
func (l *loader) load(ctx context.Context, data []byte, n int) error {
	for len(data) > 0 {
		err := l.copy(ctx, data, n)
		if err == nil {
			l.loaded += int64(n)
			return nil
		}
		var server *pgconn.PgError
		if !errors.As(err, &server) || !aboutRow(server.Code) {
			return l.conn.Explain(err, "loading table %s", l.conn.Site.Table(l.table.Name))
		}
		if n == 1 {
			l.loaded++
			return l.refuse(data, server)
		}
		// The server may report no row, or the wrong one of a batch, so the reported
		// row is tried by itself.
		at := l.row(server)
		parts := []int{at - 1, 1}
		if at < 1 || at > n {
			parts = []int{n / 2}
		}
		for _, part := range parts {
			end := ends(data, part)
			if err := l.load(ctx, data[:end], part); err != nil {
				return err
			}
			data, n = data[end:], n-part
		}
	}
	return nil
}

// copy loads all rows or none.
func (l *loader) copy(ctx context.Context, data []byte, n int) error {
	if _, err := l.conn.Exec(ctx, "SAVEPOINT chunk"); err != nil {
		return err
	}
	tag, err := l.conn.CopyFrom(ctx, bytes.NewReader(data), l.copyFrom)
	if err != nil {
		if l.conn.IsClosed() {
			return err
		}
		_, back := l.conn.Exec(ctx, "ROLLBACK TO SAVEPOINT chunk")
		return errors.Join(err, back)
	}
	if tag.RowsAffected() != int64(n) {
		return fmt.Errorf("%d rows were sent, but the server reports %d", n, tag.RowsAffected())
	}
	_, err = l.conn.Exec(ctx, "RELEASE SAVEPOINT chunk")
	return err
}

// aboutRow reports whether an error is caused by a row's values: data exceptions,
// integrity violations, limits such as the size of a row.
func aboutRow(code string) bool {
	return strings.HasPrefix(code, "22") || strings.HasPrefix(code, "23") || strings.HasPrefix(code, "54")
}

// ends returns the offset of the end of the n-th row.
func ends(data []byte, n int) int {
	at := 0
	for range n {
		at += bytes.IndexByte(data[at:], '\n') + 1
	}
	return at
}

var (
	firstNumber = regexp.MustCompile(`\d+`)
	columnName  = regexp.MustCompile(`^, column ([^:]+)`)
)

// row extracts the row number from the context of an error, which begins with COPY
// TABLE, line 3, column NAME: "…" in the server's language.
func (l *loader) row(server *pgconn.PgError) int {
	_, place, ok := strings.Cut(server.Where, l.conn.Site.Full(l.table.Name))
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(firstNumber.FindString(place))
	if err != nil {
		return 0
	}
	return n
}

// refuse records a row, given with its newline, that the server rejected.
func (l *loader) refuse(row []byte, server *pgconn.PgError) error {
	row = bytes.TrimSuffix(row, []byte{'\n'})
	reason := server.Message
	if server.Detail != "" && server.Code != "23502" { // its detail is the whole row
		reason += " (" + server.Detail + ")"
	}
	if err := l.refused.Add(refused.Loss(l.table, row, l.column(row, server), reason)); err != nil {
		return fmt.Errorf("table %s: %w", l.conn.Site.Table(l.table.Name), err)
	}
	return nil
}

// column returns the column that an error concerns: the one named by the server, or
// the one with bytes invalid in text.
func (l *loader) column(row []byte, server *pgconn.PgError) string {
	if server.ColumnName != "" {
		return server.ColumnName
	}
	if _, place, ok := strings.Cut(server.Where, l.conn.Site.Full(l.table.Name)); ok {
		place = place[len(place)-len(strings.TrimLeft(place, `", line0123456789`)):]
		if m := columnName.FindStringSubmatch(", " + place); m != nil && l.table.Column(m[1]) != nil {
			return m[1]
		}
	}
	i := slices.IndexFunc(rows.Split(nil, row), func(cell []byte) bool { return bytes.IndexByte(cell, 0) >= 0 || !utf8.Valid(cell) })
	if i >= 0 && i < len(l.table.Columns) {
		return l.table.Columns[i].Name
	}
	return ""
}
