// Package postgres is the source that reads a site's tables from PostgreSQL
// 13–18, all from one exported snapshot, over several connections.
package postgres

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// Config is the source's configuration.
type Config struct {
	postgres.Connection
	Connections int `key:"connections" min:"1" max:"64" help:"how many connections read at once, besides one that holds the snapshot; where it is not given, as many as there are workers"`
}

// Stage describes the source.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "postgres",
			Role:    stage.RoleSource,
			Summary: "Reads the tables of a site from PostgreSQL 13 to 18.",
			Doc:     doc,
			Parts:   []string{stage.DB},
			Dialect: postgres.Dialect,
			Config:  func() any { return &Config{} },
		},
		NewSource: stage.Typed(func(_ context.Context, c *Config, env stage.Env) (stage.Source, error) {
			return &Source{config: *c, env: env}, nil
		}),
	}
}

const doc = `All tables whose names begin with the prefix are read from one snapshot of the
database: whatever is written meanwhile, they fit together. The snapshot is held
by one connection, which also keeps a lock on every table (ACCESS SHARE, the one
of a SELECT): reading and writing go on as ever, but ALTER TABLE, TRUNCATE and
DROP TABLE wait until the run ends.

Every session sets the server's settings that change what is read (formats, time limits,
row_security and others) and reads them back, whatever the defaults of server, database and
role are. A parameter of the DSN that says otherwise is refused, and so is a server that hides
damage (zero_damaged_pages, ignore_checksum_failure).

Each table is counted in the snapshot besides being read, and the run fails where the numbers differ.

The user needs CONNECT on the database, USAGE on the schema, and SELECT on the
tables and sequences with the prefix. A pooler between must be in session mode.

Columns, keys, indexes, defaults, sequences, collations, comments, storage
parameters and enumeration types are read. Views, triggers, rules, functions,
generated columns, checks, foreign keys, policies and foreign tables are not
carried; each is listed as a loss. Partitioned tables are read as one table.`
