// Package mysql is the source that reads a site's tables from MySQL or MariaDB.
package mysql

import (
	"context"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

const doc = `Reads all tables whose names begin with the prefix from MySQL 8–9 or MariaDB 10.6–11.8.

All connections read the same moment. For that the source takes a global read lock, begins a
transaction on each connection, and gives the lock back at once: writers wait for
milliseconds. The right RELOAD is needed for it; without, the site's tables are locked
instead (right LOCK TABLES); without that, one connection reads everything. The fact
"consistency" of the run says which it was. Tables of other engines than InnoDB have no
snapshots and are named in the notes.

Every connection sets the session variables that change what is read (sql_select_limit,
character sets, sql_mode, time limits and others) and reads them back, whatever the server's,
the user's or init_connect's defaults are. A parameter of the DSN that says otherwise is refused.

Each table is counted in the snapshot besides being read, and the run fails where the numbers
differ; tables of engines without snapshots are not counted.

Rights: SELECT on the whole database, else the source refuses; for triggers, routines and events
to be listed TRIGGER, EXECUTE and EVENT, else a note says what can't be seen; better RELOAD or LOCK TABLES; REPLICATION CLIENT for the binary log's position.`

// Stage describes the source.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "mysql",
			Role:    stage.RoleSource,
			Summary: "reads a site's tables from MySQL or MariaDB",
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
