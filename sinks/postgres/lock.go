package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/dialects/postgres"
)

// lockKey returns the key of an advisory lock on the site's tables; such locks belong
// to the database.
func lockKey(site postgres.Site, what string) int64 {
	sum := sha256.Sum256([]byte("vault " + what + "\x00" + site.Schema + "\x00" + site.Prefix))
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
}

// lock ensures that no other restore works on the same tables until unlock or the end
// of the session. It waits up to patience for another holder of the lock.
func lock(ctx context.Context, conn *postgres.Conn, patience time.Duration) error {
	key := lockKey(conn.Site, "restore")
	for began := time.Now(); ; {
		var got bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", key).Scan(&got); err != nil {
			return conn.Explain(err, "locking the target")
		}
		if got {
			return nil
		}
		if time.Since(began) >= patience {
			return failure.New(failure.Refused, "%s: another restore is writing tables with prefix %q in schema %s (see pg_locks, locktype advisory); wait for it to finish",
				conn.Address, conn.Site.Prefix, conn.Site.Schema)
		}
		if err := sleep(ctx, min(patience, 100*time.Millisecond)); err != nil {
			return err
		}
	}
}

// unlock releases the lock, as the end of a session does.
func unlock(ctx context.Context, conn *postgres.Conn) error {
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_unlock_all()"); err != nil && !postgres.Lost(err) {
		return conn.Explain(err, "releasing the lock on the target")
	}
	return nil
}
