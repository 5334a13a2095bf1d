// Package mysql is the sink that writes a site's tables to MySQL or MariaDB.
package mysql

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

const doc = `Writes tables to MySQL 8–9 or MariaDB 10.6–11.8: creates them as InnoDB, loads the rows,
then builds the indexes, and reads everything back for the proof.

The new tables are created, loaded, indexed and proven beside what is there, under names of their own
(` + "`<prefix>" + mysql.Incoming + "…`" + `). At the end one statement renames them to their names, and the tables of
the old site away (` + "`<prefix>" + mysql.Outgoing + "…`" + `); these are dropped then. The server does all of that statement or
nothing. So whatever fails, and whenever the program is killed, the database holds the old site or the new one. What
else is left is dropped by the next restore, and does not keep a backup from reading the site.

A database that has tables with the prefix is refused unless replace is true or in_place. With true the server needs
room for both sites until the end; it can't be asked how much it has. With in_place the old tables are dropped
before the new ones are loaded. Until the end a table ` + "`<prefix>" + mysql.Marker + "`" + ` stands in the database then; where it is
left, a restore was interrupted, and the database is incomplete: sources refuse it, and the sink wants replace.

preserve lists tables and views, without the prefix, that stay as they are; * stands for any characters. A table of
the same name that is to be restored is refused: exclude it from what is restored. Foreign keys are not created; a
foreign key of a table that stays, to one that is replaced, is refused.

A connection that is lost while rows are loaded, a deadlock and a lock that is waited for too long cost nothing: the rows
of that part of the table are loaded again, each once, and a note says so.

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
		NewSink: stage.Typed(func(_ context.Context, c *Config, env stage.Env) (stage.Sink, error) {
			return &sink{cfg: *c, env: env}, nil
		}),
	}
}

// The ways to load rows.
const (
	loadAuto   = "auto"
	loadLocal  = "local_infile"
	loadInsert = "insert"
)
