package postgres

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lmsvault/vault/dialects/sqltext"
)

// Exec runs one statement. The server refuses text with several: pgx would send a
// statement without arguments by the simple protocol, which accepts several.
func (c *Conn) Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error) {
	if len(arguments) > 0 {
		return c.Conn.Exec(ctx, sql, arguments...)
	}
	result := c.PgConn().ExecParams(ctx, sql, nil, nil, nil, nil).Read()
	return result.CommandTag, result.Err
}

// ExecAll runs statements in order, up to the first that fails, in one round trip.
// Outside a transaction they run as one.
func (c *Conn) ExecAll(ctx context.Context, statements ...string) error {
	batch := &pgconn.Batch{}
	for _, sql := range statements {
		batch.ExecParams(sql, nil, nil, nil, nil)
	}
	return c.PgConn().ExecBatch(ctx, batch).Close()
}

// CopyTo runs a COPY … TO STDOUT.
func (c *Conn) CopyTo(ctx context.Context, w io.Writer, sql string) (pgconn.CommandTag, error) {
	if err := sqltext.OneStatement(sql); err != nil {
		return pgconn.CommandTag{}, fmt.Errorf("%.200q: %w", sql, err)
	}
	return c.PgConn().CopyTo(ctx, w, sql)
}

// CopyFrom runs a COPY … FROM STDIN.
func (c *Conn) CopyFrom(ctx context.Context, r io.Reader, sql string) (pgconn.CommandTag, error) {
	if err := sqltext.OneStatement(sql); err != nil {
		return pgconn.CommandTag{}, fmt.Errorf("%.200q: %w", sql, err)
	}
	return c.PgConn().CopyFrom(ctx, r, sql)
}
