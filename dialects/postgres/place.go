package postgres

import (
	"context"
	"strings"
)

// PlaceFact is the fact by which a source tells the place of the schema that it
// reads: a sink refuses to replace that. A restored snapshot has no such place.
const PlaceFact = "place"

// Place names the schema the same by whatever address it was reached. Every server
// that may run has a start of its own, which all users may ask for.
func (c *Conn) Place(ctx context.Context) (string, error) {
	var place string
	err := c.QueryRow(ctx, `SELECT format('postgres %s:%s database %s schema %s', extract(epoch FROM pg_postmaster_start_time())::numeric, current_setting('port'), oid, $1::text)
		FROM pg_database WHERE datname = current_database()`, c.Site.Schema).Scan(&place)
	if err != nil {
		return "", c.Explain(err, "asking the server who it is")
	}
	return place, nil
}

// Overlap tells whether sites with these prefixes may have tables in common.
func Overlap(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }
