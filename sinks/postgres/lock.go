package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/dialects/postgres"
)

// lock makes sure that no other restore works on the same tables, until unlock or the session's end.
func lock(ctx context.Context, conn *postgres.Conn) error {
	sum := sha256.Sum256([]byte("vault restore\x00" + conn.Site.Schema + "\x00" + conn.Site.Prefix))
	key := int64(binary.BigEndian.Uint64(sum[:8]) >> 1) // locks are the database's
	var got bool
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", key).Scan(&got); err != nil {
		return conn.Explain(err, "locking the target")
	}
	if !got {
		return failure.New(failure.Refused, "%s: another restore is writing tables with prefix %q in schema %s (pg_locks has its session, locktype advisory); wait for its end",
			conn.Address, conn.Site.Prefix, conn.Site.Schema)
	}
	return nil
}

func unlock(ctx context.Context, conn *postgres.Conn) error {
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_unlock_all()"); err != nil {
		return conn.Explain(err, "giving the lock on the target back")
	}
	return nil
}
