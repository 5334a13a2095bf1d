package mysql

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

// committed returns the receipt of a committed unit, or nil.
func (s *sink) committed(ctx context.Context, tx *sql.Tx, unit string) (_ *stage.Receipt, err error) {
	key := sha256.Sum256([]byte(unit)) // IDs may be too long for a key
	defer func() {
		if err != nil {
			err = fmt.Errorf("checking whether unit %s is committed: %w", unit, err)
		}
	}()
	pieces, err := tx.QueryContext(ctx, "SELECT receipt FROM "+mysql.Ident(s.receipts)+" WHERE unit = ? ORDER BY piece", key[:])
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, pieces.Close()) }()
	var text []byte
	for pieces.Next() {
		var piece []byte
		if err := pieces.Scan(&piece); err != nil {
			return nil, err
		}
		text = append(text, piece...)
	}
	if err := pieces.Err(); err != nil || text == nil {
		return nil, err
	}
	var r stage.Receipt
	return &r, json.Unmarshal(text, &r)
}

// enter records a unit as committed, in the transaction of its rows. It waits for a
// transaction that an earlier attempt left on the server.
func (s *sink) enter(ctx context.Context, tx *sql.Tx, unit string, r *stage.Receipt) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	key := sha256.Sum256([]byte(unit))
	n := 0
	for piece := range slices.Chunk(text, min(1<<20, s.server.MaxPacket/4)) {
		if _, err := tx.ExecContext(ctx, "INSERT INTO "+mysql.Ident(s.receipts)+" (unit, piece, receipt) VALUES (?, ?, ?)", key[:], n, piece); err != nil {
			err = fmt.Errorf("recording unit %s as committed: %w", unit, err)
			if mysql.Number(err) == duplicate { // the next attempt will find it
				err = stage.Temporary(fmt.Errorf("an attempt whose connection was lost has committed the unit: %w", err), 0)
			}
			return err
		}
		n++
	}
	return nil
}
