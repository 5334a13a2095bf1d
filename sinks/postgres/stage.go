// Package postgres is the sink that writes a site's tables to PostgreSQL 13–18 with
// COPY and proves them by reading them back.
package postgres

import (
	"context"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// Config is the configuration of the sink.
type Config struct {
	postgres.Connection
	moodle.Replacing
}

// Stage describes the sink.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "postgres",
			Role:    stage.RoleSink,
			Summary: "Writes a site's tables to PostgreSQL 13 to 18.",
			Doc:     doc,
			Parts:   []string{stage.DB},
			Dialect: postgres.Dialect,
			Config:  func() any { return &Config{} },
		},
		NewSink: stage.Typed(func(_ context.Context, c *Config, env stage.Env) (stage.Sink, error) {
			return &Sink{config: *c, env: env}, nil
		}),
	}
}

const doc = `Tables are created, filled with COPY, then get their primary keys, indexes and
sequences as Moodle makes them, and are read back for the proof. A row that the server
rejects is reported and skipped; all others are loaded. An index that a row is too large for
(the limit is about 2700 bytes) is reported and skipped; accept it as a loss of kind index.

A schema that has tables and views with the prefix is refused unless replace is true or
in_place. With true the new tables are created, loaded, indexed and proven beside the old
ones, in the same schema, under temporary names (` + "`vault_new_…`" + `). At the end one transaction
gives them their final names and renames the old tables (` + "`vault_old_…`" + `); the old tables are
then dropped. So whatever fails and whenever the program is killed, the schema holds either
the old site or the new one. The next restore removes any remains; backups ignore them. The
server needs space for both sites, and a lock for each table, index and sequence of both;
vault plan reports if max_locks_per_transaction is too low.

With in_place the old tables are dropped before the new ones are loaded. Then, and in a
schema without a site, the table ` + "`<prefix>vault_restoring`" + ` marks the site as incomplete until everything is
in place. A run that was interrupted, or whose proof failed, leaves it; restore again with
` + "`replace: true`" + `.

preserve lists tables and views, without the prefix, that stay unchanged; * matches any
characters. A restored table with the same name is refused; exclude it from the restore.
Other views, foreign keys and functions that depend on a replaced table are refused by name.

After a lost connection or a deadlock, the affected part of the table is loaded again,
without duplicates, and noted.

Every session sets the server's settings that affect what is written, and reads them back; a
conflicting DSN parameter is refused.

The database must have encoding UTF8, and the user needs CREATE on the schema; to replace
tables it must own them. Enumeration types are named with the prefix.`
