package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/keyrange"
)

// rangeBytes is the approximate size of one range of a table.
const rangeBytes = 64 << 20

// Ranges divides a table that is large enough and has an integer key into ranges of
// about 64 MiB, by the server's estimates.
func (t *Table) Ranges(ctx context.Context, conn *sql.Conn) ([]keyrange.Range, error) {
	key, ok := t.IntegerKey()
	if !ok || t.Bytes < rangeBytes*3/2 || t.RowBytes == 0 {
		return []keyrange.Range{{}}, nil
	}
	column, from := Ident(key.Name), " FROM "+Ident(t.FullName)
	var lo, hi sql.NullString
	if err := conn.QueryRowContext(ctx, "SELECT MIN("+column+"), MAX("+column+")"+from).Scan(&lo, &hi); err != nil {
		return nil, fmt.Errorf("reading the key range of %s: %w", t.FullName, err)
	}
	if !lo.Valid {
		return []keyrange.Range{{}}, nil
	}
	return keyrange.Split(ctx, lo.String, hi.String, max(t.Rows, 1), max(rangeBytes/t.RowBytes, 1), func(ctx context.Context, at string) (string, bool, error) {
		var next string
		err := conn.QueryRowContext(ctx, "SELECT "+column+from+" WHERE "+column+" >= "+at+" ORDER BY "+column+" LIMIT 1").Scan(&next)
		if errors.Is(err, sql.ErrNoRows) {
			return "", false, nil
		}
		return next, err == nil, err
	})
}
