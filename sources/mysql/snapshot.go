package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lmsvault/vault/dialects/mysql"
)

// snapshot is a consistent view of a database, shared by several connections. free
// holds the unused ones. A lost connection is not replaced, because no other can get
// the same view.
type snapshot struct {
	free        chan *sql.Conn
	conns       []*sql.Conn
	consistency string // as recorded in the manifest
	position    string // of the binary log, "" if it is hidden
	note        string // why the guarantee is not the best, or ""
}

// Consistency guarantees of a run.
const (
	underGlobalLock = "one snapshot for all connections (FLUSH TABLES WITH READ LOCK)"
	underTableLocks = "one snapshot for all connections (LOCK TABLES READ)"
	oneConnection   = "one snapshot, read by a single connection"
)

// savepoint marks the beginning of the transaction. Rolling back to it releases the
// metadata locks taken by reading, so that no ALTER TABLE waits for the run.
const savepoint = "vault"

// take begins transactions on n connections that share one view. tables are the full
// names of the tables to lock if the global lock is not allowed.
func take(ctx context.Context, s *mysql.Server, n int, wait time.Duration, tables []string) (_ *snapshot, err error) {
	snap := &snapshot{free: make(chan *sql.Conn, n)}
	defer func() {
		if err != nil {
			err = errors.Join(err, snap.close())
		}
	}()
	for range n {
		conn, err := s.Conn(ctx)
		if err != nil && len(snap.conns) > 0 && ctx.Err() == nil {
			snap.note = fmt.Sprintf("only %d of %d connections could be opened: %v", len(snap.conns), n, err)
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: opening a connection: %w", s.Address, err)
		}
		snap.conns = append(snap.conns, conn)
	}
	unlock, err := snap.lock(ctx, s, wait, tables)
	if err != nil {
		return nil, err
	}
	err = snap.begin(ctx, s)
	if err := errors.Join(err, unlock()); err != nil {
		return nil, err
	}
	for _, conn := range snap.conns {
		snap.free <- conn
	}
	return snap, nil
}

// lock blocks writers by the best means that the user's privileges allow, and falls
// back to a single connection.
func (snap *snapshot) lock(ctx context.Context, s *mysql.Server, wait time.Duration, tables []string) (unlock func() error, err error) {
	nothing := func() error { return nil }
	if len(snap.conns) == 1 {
		snap.consistency = oneConnection
		return nothing, nil
	}
	conn, err := s.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: opening a connection: %w", s.Address, err)
	}
	unlock = func() error {
		// Unlock even if the run was cancelled: the lock must be short.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_, err := conn.ExecContext(ctx, "UNLOCK TABLES")
		return errors.Join(err, conn.Close()) // closing a connection also releases its locks
	}
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("SET SESSION lock_wait_timeout = %d", max(1, int(wait.Seconds())))); err != nil {
		return nil, errors.Join(err, unlock())
	}
	var why []string
	for _, means := range []struct{ consistency, statement string }{
		{underGlobalLock, "FLUSH TABLES WITH READ LOCK"},
		{underTableLocks, lockTables(tables)},
	} {
		if means.statement == "" {
			continue
		}
		_, err := conn.ExecContext(ctx, means.statement)
		if err == nil {
			snap.consistency = means.consistency
			snap.position = position(ctx, conn, s)
			return unlock, nil
		}
		if !mysql.Denied(err) && mysql.Number(err) != lockWaitTimeout {
			return nil, errors.Join(fmt.Errorf("%s: %s: %w", s.Address, means.consistency, err), unlock())
		}
		why = append(why, err.Error())
	}
	snap.note = "a single connection reads all tables, because no lock was available to begin several consistently: " + strings.Join(why, "; ")
	snap.consistency = oneConnection
	var errs []error
	for _, extra := range snap.conns[1:] {
		errs = append(errs, extra.Close())
	}
	snap.conns = snap.conns[:1]
	return nothing, errors.Join(append(errs, unlock())...)
}

const lockWaitTimeout = 1205

func lockTables(names []string) string {
	if len(names) == 0 {
		return ""
	}
	locks := make([]string, len(names))
	for k, name := range names {
		locks[k] = mysql.Ident(name) + " READ"
	}
	return "LOCK TABLES " + strings.Join(locks, ", ")
}

func (snap *snapshot) begin(ctx context.Context, s *mysql.Server) error {
	for _, conn := range snap.conns {
		for _, statement := range []string{
			"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
			"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
			"SAVEPOINT " + savepoint,
		} {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("%s: beginning the snapshot: %w", s.Address, err)
			}
		}
	}
	return nil
}

// position returns the position of the binary log, for starting a replica. It is
// optional: "" if the privilege is missing or the log is off.
func position(ctx context.Context, conn *sql.Conn, s *mysql.Server) string {
	query, gtid := "SHOW BINARY LOG STATUS", "SELECT @@GLOBAL.gtid_executed"
	if s.MariaDB {
		query, gtid = "SHOW MASTER STATUS", "SELECT @@GLOBAL.gtid_binlog_pos"
	}
	at := firstColumns(ctx, conn, query)
	if at == nil && !s.MariaDB {
		at = firstColumns(ctx, conn, "SHOW MASTER STATUS") // before MySQL 8.2
	}
	var set string
	if len(at) < 2 {
		return ""
	}
	if err := conn.QueryRowContext(ctx, gtid).Scan(&set); err != nil || set == "" {
		return at[0] + ":" + at[1]
	}
	return at[0] + ":" + at[1] + " gtid " + strings.ReplaceAll(set, "\n", "")
}

func firstColumns(ctx context.Context, conn *sql.Conn, query string) []string {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil
	}
	columns, err := rows.Columns()
	values := make([]string, len(columns))
	into := make([]any, len(columns))
	for k := range values {
		into[k] = new(sql.NullString)
	}
	if err == nil && rows.Next() {
		err = rows.Scan(into...)
	} else {
		values = nil
	}
	for k := range values {
		if text, ok := into[k].(*sql.NullString); ok {
			values[k] = text.String
		}
	}
	if errors.Join(err, rows.Close()) != nil {
		return nil
	}
	return values
}

// borrow waits for a free connection.
func (snap *snapshot) borrow(ctx context.Context) (*sql.Conn, error) {
	select {
	case conn := <-snap.free:
		return conn, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (snap *snapshot) giveBack(conn *sql.Conn) { snap.free <- conn }

// close ends the transactions. It ignores connections that the server has already
// closed.
func (snap *snapshot) close() error {
	var errs []error
	for _, conn := range snap.conns {
		if err := conn.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) && !mysql.Lost(err) {
			errs = append(errs, err)
		}
	}
	snap.conns = nil
	return errors.Join(errs...)
}
