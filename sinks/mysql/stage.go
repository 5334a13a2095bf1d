// Package mysql is the sink that writes a site's tables to MySQL or MariaDB.
package mysql

import (
	"context"
	"fmt"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

const doc = `Writes tables to MySQL 8–9 or MariaDB 10.6–11.8: creates them as InnoDB, loads the rows,
then builds the indexes, and reads everything back for the proof.

A database that has tables with the prefix is refused unless replace is true. The new tables
are created beside the old ones (` + "`<prefix>" + mysql.Incoming + "…`" + `) and put in their place by one statement: what fails
before leaves the old site as it was. From then to the end a table ` + "`<prefix>" + mysql.Marker + "`" + ` stands in the database; where it is left, a
restore was interrupted, and the database is incomplete.

Rows are loaded by LOAD DATA LOCAL where the server allows it (local_infile), else by
INSERT of many rows. A row that the server refuses is named with table, key, column and reason; the others are loaded.
Collations that the server doesn't have are replaced by the nearest; the notes say which.
Tables of another engine get the database's collation: where that ignores case, values of a
unique key that differ by case only are refused, unless collation names one that doesn't.

Every connection sets the session variables that change what is written, and reads them back; a
parameter of the DSN that says otherwise is refused. sql_generate_invisible_primary_key is switched off
for the session, which needs the right SESSION_VARIABLES_ADMIN: without, tables without a primary key are
refused where the server has it on.

Rights on the database: SELECT, INSERT, CREATE, ALTER, INDEX, DROP.`

// Stage describes the sink.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "mysql",
			Role:    stage.RoleSink,
			Summary: "writes a site's tables to MySQL or MariaDB",
			Doc:     doc,
			Parts:   []string{stage.DB},
			Dialect: mysql.Dialect,
			Config:  func() any { return &Config{Prefix: "mdl_", Load: loadAuto} },
		},
		NewSink: func(_ context.Context, cfg any, env stage.Env) (stage.Sink, error) {
			c, ok := cfg.(*Config)
			if !ok {
				return nil, fmt.Errorf("sink mysql: configuration is a %T", cfg)
			}
			return &sink{cfg: *c, env: env}, nil
		},
	}
}

// The ways to load rows.
const (
	loadAuto   = "auto"
	loadLocal  = "local_infile"
	loadInsert = "insert"
)
