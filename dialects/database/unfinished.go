package database

import (
	"context"

	"github.com/lmsvault/vault/dialects/mysql"
	"github.com/lmsvault/vault/dialects/sqlite"
)

// Unfinished reports whether the database is marked as incomplete: a restore into it was
// interrupted, so that it holds no usable site.
func (d *Database) Unfinished(ctx context.Context) (bool, error) {
	schema := "current_schema()"
	switch d.Dialect() {
	case sqlite.Dialect:
		return false, nil // an incomplete file has another name
	case mysql.Dialect:
		schema = "DATABASE()"
	}
	found, err := d.First(ctx, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = "+schema+" AND table_name = ?", d.prefix+mysql.Marker)
	return found.String != "" && found.String != "0", err
}
