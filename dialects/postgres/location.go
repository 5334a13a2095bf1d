package postgres

import (
	"context"
	"strings"
)

// Location identifies the schema independently of the address used to reach it, by
// the start time of the server, which every user may read.
func (c *Conn) Location(ctx context.Context) (string, error) {
	var location string
	err := c.QueryRow(ctx, `SELECT format('postgres %s:%s database %s schema %s', extract(epoch FROM pg_postmaster_start_time())::numeric, current_setting('port'), oid, $1::text)
		FROM pg_database WHERE datname = current_database()`, c.Site.Schema).Scan(&location)
	if err != nil {
		return "", c.Explain(err, "identifying the server")
	}
	return location, nil
}

// Overlap reports whether sites with these prefixes may have tables in common.
func Overlap(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }
