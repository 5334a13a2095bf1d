package postgres

import (
	"context"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/dialects/postgres"
)

// removeLeftovers removes what interrupted restores of the site left behind. The lock
// ensures that no other restore is running.
func (s *Sink) removeLeftovers(ctx context.Context, conn *postgres.Conn) error {
	made, old := conn.Site.Scratch()
	for _, prefix := range []string{made, old} {
		if err := s.remove(ctx, conn, prefix); err != nil {
			return err
		}
	}
	return nil
}

// remove drops everything in the schema whose name begins with prefix.
func (s *Sink) remove(ctx context.Context, conn *postgres.Conn, prefix string) error {
	other := *conn
	other.Site.Prefix = prefix
	if err := drop(ctx, &other, nil); err != nil {
		return err
	}
	return dropUnused(ctx, &other)
}

// endLoaders ends the sessions of an interrupted restore: the server continues its
// last statement, such as building an index, and holds its locks.
func endLoaders(ctx context.Context, conn *postgres.Conn) error {
	key := lockKey(conn.Site, "loaders")
	const patience, pause = 30 * time.Second, 50 * time.Millisecond
	for began := time.Now(); ; {
		var got bool
		err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", key).Scan(&got)
		if err == nil && got {
			_, err = conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", key)
		}
		if err != nil {
			return conn.Explain(err, "listing sessions of an interrupted restore")
		}
		if got {
			return nil
		}
		if time.Since(began) > patience {
			return failure.New(failure.Refused, "%s: sessions of an interrupted restore do not end; end them with pg_terminate_backend (see pg_locks, locktype advisory)", conn.Address)
		}
		_, err = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND pid <> pg_backend_pid()
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND classid::int8 << 32 | objid::int8 = $1`, key)
		if err != nil {
			return conn.Explain(err, "ending the sessions of an interrupted restore")
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
