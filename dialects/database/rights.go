package database

import (
	"context"

	"github.com/lmsvault/vault/dialects/mysql"
)

// Rights returns the user's privileges on the whole database, on MySQL and MariaDB. Other
// engines grant privileges by table; for them it returns nil.
func (d *Database) Rights(ctx context.Context) (mysql.Rights, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.engine.(*mysqlEngine)
	if !ok {
		return nil, nil
	}
	return e.server.Rights(ctx)
}
