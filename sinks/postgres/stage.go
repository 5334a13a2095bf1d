// Package postgres is the sink that writes a site's tables into PostgreSQL 13–18
// with COPY and proves them by reading them back.
package postgres

import (
	"context"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// Config is the sink's configuration.
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
			Summary: "Writes the tables of a site into PostgreSQL 13 to 18.",
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
sequences as Moodle makes them, and are read back for the proof. A row that the
server refuses is named and left out; all others are loaded.
An index that a row is too large for (PostgreSQL holds some 2700 bytes of a row in
one) is named and left out: accept it as a loss of kind index.

A schema that has tables and views with the prefix is refused unless replace is true or
in_place. With true the new tables are created, loaded, indexed and proven beside the old
ones, in the same schema, under names of their own (` + "`vault_new_…`" + `). At the end one transaction
gives them their names, and the old tables other ones (` + "`vault_old_…`" + `); these are dropped then.
So whatever fails, and whenever the program is killed, the schema holds the old site or the
new one. What else is left is removed by the next restore, and does not keep a backup from
reading the site. The server needs room for both sites, and a lock for each table, index
and sequence of both: a plan says if max_locks_per_transaction is too low for that.

With in_place the old tables are dropped before the new ones are loaded. Then, and in a
schema without a site, a table ` + "`<prefix>vault_restoring`" + ` stands in the schema until all is in
place: a site with it is not whole. A run that was interrupted, or whose proof failed,
leaves it there; restore again with ` + "`replace: true`" + `.

preserve lists tables and views, without the prefix, that stay as they are; * stands for any
characters. A table of the same name that is to be restored is refused: exclude it from
what is restored. Views, foreign keys and functions of others that need a table that is
replaced are a refusal that names them.

A connection that is lost while rows are loaded, and a deadlock, cost nothing: the rows of
that part of the table are loaded again, each once, and a note says so.

Every session sets the server's settings that change what is written, and reads them back; a
parameter of the DSN that says otherwise is refused.

The database must have encoding UTF8, and the user needs CREATE on the schema; to
replace tables it must own them. Enumeration types are named with the prefix.`
