package postgres

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// committed returns the receipt of a committed unit, or nil.
func committed(ctx context.Context, conn *postgres.Conn, unit string) (*stage.Receipt, error) {
	var text []byte
	err := conn.QueryRow(ctx, "SELECT receipt FROM "+conn.Site.Table(postgres.Marker)+" WHERE unit = sha256($1)", []byte(unit)).Scan(&text)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, conn.Explain(err, "checking whether unit %s is committed", unit)
	}
	var r stage.Receipt
	return &r, json.Unmarshal(text, &r)
}

const uniqueViolation = "23505"

// enter records a unit as committed, in the transaction of its rows. It waits for a
// transaction that an earlier attempt left on the server.
func enter(ctx context.Context, conn *postgres.Conn, unit string, r *stage.Receipt) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	// IDs may be too long for a key.
	_, err = conn.Exec(ctx, "INSERT INTO "+conn.Site.Table(postgres.Marker)+" (unit, receipt) VALUES (sha256($1), $2)", []byte(unit), text)
	if postgres.Code(err) == uniqueViolation { // the next attempt will find it
		return stage.Temporary(conn.Explain(err, "unit %s was committed by an attempt whose session was lost", unit), 0)
	}
	if err != nil {
		return conn.Explain(err, "recording unit %s as committed", unit)
	}
	return nil
}
