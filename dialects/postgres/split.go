package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/lmsvault/vault/core/keyrange"
)

// UnitBytes is the approximate size on disk of the part of a table that is read as
// one unit.
const UnitBytes = 64 << 20

// Ranges divides a table with an integer key into ranges of about bytes each; it
// returns nil for a table without one, which is read as a whole.
func (c *Conn) Ranges(ctx context.Context, t *Table, bytes int64) ([]keyrange.Range, error) {
	key, ok := t.IntegerKey()
	if !ok {
		return nil, nil
	}
	if t.Bytes <= bytes {
		return []keyrange.Range{{}}, nil
	}
	name, table := Ident(key.Name), c.Site.Table(t.Name)
	var first, last *int64
	if err := c.QueryRow(ctx, fmt.Sprintf("SELECT min(%s), max(%s) FROM %s", name, name, table)).Scan(&first, &last); err != nil {
		return nil, c.Explain(err, "reading the first and last key of table %s", table)
	}
	if first == nil || last == nil {
		return []keyrange.Range{{}}, nil
	}
	next := fmt.Sprintf("SELECT %s FROM %s WHERE %s >= $1::int8 ORDER BY %s LIMIT 1", name, table, name, name)
	ranges, err := keyrange.Split(ctx, strconv.FormatInt(*first, 10), strconv.FormatInt(*last, 10), t.Rows, max(1, int64(float64(t.Rows)*float64(bytes)/float64(t.Bytes))),
		func(ctx context.Context, from string) (string, bool, error) {
			bound, err := strconv.ParseInt(from, 10, 64)
			if err != nil { // out of range for the column
				return "", false, nil
			}
			var key int64
			err = c.QueryRow(ctx, next, bound).Scan(&key)
			if errors.Is(err, pgx.ErrNoRows) {
				return "", false, nil
			}
			return strconv.FormatInt(key, 10), err == nil, err
		})
	if err != nil {
		return nil, c.Explain(err, "dividing table %s by its key", table)
	}
	return ranges, nil
}
