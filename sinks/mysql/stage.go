// Package mysql is the sink that writes a site's tables to MySQL or MariaDB.
package mysql

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

const doc = `Writes tables to MySQL 8–9 or MariaDB 10.6–11.8: creates them as InnoDB, loads
the rows, then builds the indexes, and reads everything back for the proof.

The new tables are created, loaded, indexed and proven beside the existing ones, under
temporary names (` + "`<prefix>" + mysql.Incoming + "…`" + `). At the end one statement renames them to their final names and
the tables of the old site away (` + "`<prefix>" + mysql.Outgoing + "…`" + `); the old tables are then dropped. The statement
is atomic, so whatever fails and whenever the program is killed, the database holds either
the old site or the new one. The next restore drops any remains; backups ignore them.

A database that has tables with the prefix is refused unless replace is true or in_place.
With true the server needs space for both sites until the end; Vault cannot check how much
is free. With in_place the old tables are dropped before the new ones are loaded. Until the
end, the table ` + "`<prefix>" + mysql.Marker + "`" + ` marks the database as incomplete. If it is still there, a restore
was interrupted: sources refuse the database, and the sink requires replace.

preserve lists tables and views, without the prefix, that stay unchanged; * matches any
characters. A restored table with the same name is refused; exclude it from the restore.
Foreign keys are not created; a foreign key from a preserved table to a replaced one is
refused.

After a lost connection, a deadlock or a lock timeout, the affected part of the table is
loaded again, without duplicates, and noted.

Rows are loaded with LOAD DATA LOCAL if the server allows it (local_infile), else with
multi-row INSERTs. A row that the server rejects is reported with table, key, column and
reason; the others are loaded. Collations that the server does not have are replaced by the
most similar ones; the notes list them. Tables of another engine get the database's
collation: if that ignores case, rows whose unique keys differ only in case are rejected,
unless collation names one that does not.

Every connection sets the session variables that affect what is written, and reads them
back; a conflicting DSN parameter is refused. sql_generate_invisible_primary_key is turned
off for the session, which needs the privilege SESSION_VARIABLES_ADMIN; without it, and if
the server has the variable on, tables without a primary key are refused.

Privileges on the database: SELECT, INSERT, CREATE, ALTER, INDEX, DROP.`

// Stage describes the sink.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "mysql",
			Role:    stage.RoleSink,
			Summary: "Writes a site's tables to MySQL or MariaDB.",
			Doc:     doc,
			Parts:   []string{stage.DB},
			Dialect: mysql.Dialect,
			Config:  func() any { return &Config{Prefix: "mdl_", Load: loadAuto} },
		},
		NewSink: stage.Typed(func(_ context.Context, c *Config, env stage.Env) (stage.Sink, error) {
			return &sink{cfg: *c, env: env}, nil
		}),
	}
}

// Ways to load rows.
const (
	loadAuto   = "auto"
	loadLocal  = "local_infile"
	loadInsert = "insert"
)
