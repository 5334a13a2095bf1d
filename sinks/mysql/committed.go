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

// committed gives the receipt of a unit that is committed, nil if it is not.
func (s *sink) committed(ctx context.Context, tx *sql.Tx, unit string) (_ *stage.Receipt, err error) {
	key := sha256.Sum256([]byte(unit)) // IDs may be longer than a key
	defer func() {
		if err != nil {
			err = fmt.Errorf("looking whether unit %s is there already: %w", unit, err)
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

// enter notes that a unit is committed, in the transaction of its rows. It waits for
// one that an earlier attempt has left to the server.
func (s *sink) enter(ctx context.Context, tx *sql.Tx, unit string, r *stage.Receipt) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	key := sha256.Sum256([]byte(unit))
	n := 0
	for piece := range slices.Chunk(text, min(1<<20, s.server.MaxPacket/4)) {
		if _, err := tx.ExecContext(ctx, "INSERT INTO "+mysql.Ident(s.receipts)+" (unit, piece, receipt) VALUES (?, ?, ?)", key[:], n, piece); err != nil {
			err = fmt.Errorf("noting that unit %s is there: %w", unit, err)
			if mysql.Number(err) == duplicate { // the next attempt finds it
				err = stage.Temporary(fmt.Errorf("an attempt whose connection was lost has committed the unit: %w", err), 0)
			}
			return err
		}
		n++
	}
	return nil
}
