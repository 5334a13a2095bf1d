package mysql

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/dialects/mysql"
)

// lock ensures that no other restore works on the same tables until unlock.
func (s *sink) lock(ctx context.Context) error {
	if s.locked != nil {
		return nil
	}
	conn, err := s.server.Conn(ctx)
	if err != nil {
		return fmt.Errorf("%s: opening a connection: %w", s.server.Address, err)
	}
	name := lockName(s.server.Database, s.cfg.Prefix)
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK('"+name+"', 0)").Scan(&got); err != nil {
		return errors.Join(fmt.Errorf("%s: locking the target: %w", s.server.Address, err), conn.Close())
	}
	if got.Int64 != 1 {
		var holder sql.NullInt64
		err := conn.QueryRowContext(ctx, "SELECT IS_USED_LOCK('"+name+"')").Scan(&holder)
		refused := failure.New(failure.Refused, "%s: another restore is writing tables with the prefix %q (server connection %d); wait for it to finish", s.server.Address, s.cfg.Prefix, holder.Int64)
		return errors.Join(refused, err, conn.Close())
	}
	s.locked = conn
	return nil
}

// holdLock checks that the lock is still held, because its connection may have been
// lost.
func (s *sink) holdLock(ctx context.Context) error {
	if s.locked != nil {
		var ours sql.NullBool
		err := s.locked.QueryRowContext(ctx, "SELECT IS_USED_LOCK('"+lockName(s.server.Database, s.cfg.Prefix)+"') = CONNECTION_ID()").Scan(&ours)
		if err == nil && ours.Bool {
			return nil
		}
		if err := s.unlock(ctx); err != nil {
			return err
		}
	}
	return s.lock(ctx)
}

// unlock releases the lock; the server does so itself if the connection is lost.
func (s *sink) unlock(ctx context.Context) error {
	if s.locked == nil {
		return nil
	}
	conn := s.locked
	s.locked = nil
	_, err := conn.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK('"+lockName(s.server.Database, s.cfg.Prefix)+"')")
	for _, err := range []error{err, conn.Close()} {
		if err != nil && !errors.Is(err, sql.ErrConnDone) && !mysql.Lost(err) {
			return fmt.Errorf("%s: releasing the lock on the target: %w", s.server.Address, err)
		}
	}
	return nil
}

// lockName has at most 64 characters, MySQL's limit. Locks belong to the server, not
// to the database.
func lockName(database, prefix string) string {
	sum := sha256.Sum256([]byte(database + "\x00" + prefix))
	return "vault_restore_" + hex.EncodeToString(sum[:16])
}
