package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// explain adds cause and remedy to SQLite's short errors. nil stays nil.
func explain(err error) error {
	failed := new(sqlite.Error)
	if !errors.As(err, &failed) {
		return err
	}
	switch failed.Code() & 0xff { // the primary code, https://www.sqlite.org/rescode.html
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fmt.Errorf("another process has locked the database for %s; try again when it has finished: %w", wait, err)
	case lib.SQLITE_CANTOPEN:
		return fmt.Errorf("%w; the file or a parent directory is missing or not readable for this user, or the directory is not writable although a -wal file must be read", err)
	case lib.SQLITE_READONLY:
		return fmt.Errorf("%w; make the file and its directory writable for this user", err)
	case lib.SQLITE_NOTADB:
		return fmt.Errorf("%w; it is not an SQLite database, or it is encrypted", err)
	}
	return err
}
