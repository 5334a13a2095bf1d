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
	Connections int `key:"connections" min:"1" max:"64" help:"number of connections that read concurrently, besides the one that holds the snapshot (default: the number of workers)"`
}

// Stage describes the source.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "postgres",
			Role:    stage.RoleSource,
			Summary: "Reads a site's tables from PostgreSQL 13 to 18.",
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
database and are consistent, whatever is written meanwhile. One connection holds the
snapshot and a lock on every table (ACCESS SHARE, as for a SELECT): reads and writes
continue, but ALTER TABLE, TRUNCATE and DROP TABLE wait until the run ends.

Every session sets the server's settings that affect what is read (formats, time limits,
row_security and others) and reads them back, overriding the defaults of server, database
and role. A conflicting DSN parameter is refused, and so is a server that hides damage
(zero_damaged_pages, ignore_checksum_failure).

Each table is also counted in the snapshot, and the run fails if the numbers differ.

The user needs CONNECT on the database, USAGE on the schema, and SELECT on the tables and
sequences with the prefix. A pooler must be in session mode.

Columns, keys, indexes, defaults, sequences, collations, comments, storage parameters and
enumeration types are read. Views, triggers, rules, functions, generated columns, checks,
foreign keys, policies and foreign tables are not transferred; each is listed as a loss.
Partitioned tables are read as one table.`
