// Package mysql is the source that reads a site's tables from MySQL or MariaDB.
package mysql

import (
	"context"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

const doc = `Reads all tables whose names begin with the prefix from MySQL 8–9 or MariaDB
10.6–11.8.

All connections read the same snapshot. To begin it, the source takes a global read lock,
begins a transaction on each connection, and releases the lock at once: writers wait for
milliseconds. This needs the privilege RELOAD; without it, the site's tables are locked
instead (privilege LOCK TABLES); without that, one connection reads everything. The fact
"consistency" of the run records which method was used. Tables of engines other than InnoDB
have no snapshots and are listed in the notes.

Every connection sets the session variables that affect what is read (sql_select_limit,
character sets, sql_mode, time limits and others) and reads them back, overriding the
defaults of server, user and init_connect. A conflicting DSN parameter is refused.

Each table is also counted in the snapshot, and the run fails if the numbers differ; tables
of engines without snapshots are not counted.

Privileges: SELECT on the whole database is required; TRIGGER, EXECUTE and EVENT to list
triggers, routines and events, otherwise a note says what is hidden; preferably RELOAD or
LOCK TABLES; REPLICATION CLIENT for the position of the binary log.`

// Stage describes the source.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "mysql",
			Role:    stage.RoleSource,
			Summary: "Reads a site's tables from MySQL or MariaDB.",
			Doc:     doc,
			Parts:   []string{stage.DB},
			Dialect: mysql.Dialect,
			Config: func() any {
				return &Config{Prefix: "mdl_", LockTimeout: config.Duration(10 * time.Second)}
			},
		},
		NewSource: stage.Typed(func(_ context.Context, c *Config, env stage.Env) (stage.Source, error) {
			return &source{cfg: *c, env: env}, nil
		}),
	}
}
