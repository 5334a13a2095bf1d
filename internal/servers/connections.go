package servers

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// Connections returns the server's IDs of the connections to a database of the MySQL
// family, including db's own, except the one that runs this query.
func Connections(ctx context.Context, db *sql.DB) (ids []int64, err error) {
	var version string
	if err := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return nil, err
	}
	// MySQL's PROCESSLIST fails if a running statement contains binary values.
	query := "SELECT PROCESSLIST_ID FROM performance_schema.threads WHERE PROCESSLIST_DB = DATABASE() AND PROCESSLIST_ID <> CONNECTION_ID()"
	if strings.Contains(version, "MariaDB") {
		query = "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()"
	}
	found, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		var id int64
		if err := found.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, found.Err()
}
