package postgres

import (
	"context"
	"strings"
)

// Location identifies the schema the same by whatever address it was reached. Every server
// that may run has a start of its own, which all users may ask for.
func (c *Conn) Location(ctx context.Context) (string, error) {
	var location string
	err := c.QueryRow(ctx, `SELECT format('postgres %s:%s database %s schema %s', extract(epoch FROM pg_postmaster_start_time())::numeric, current_setting('port'), oid, $1::text)
		FROM pg_database WHERE datname = current_database()`, c.Site.Schema).Scan(&location)
	if err != nil {
		return "", c.Explain(err, "asking the server who it is")
	}
	return location, nil
}

// Overlap tells whether sites with these prefixes may have tables in common.
func Overlap(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }
