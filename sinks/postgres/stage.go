// Package postgres is the sink that writes a site's tables into PostgreSQL 13–18
// with COPY and proves them by reading them back.
package postgres

import (
	"context"
	"fmt"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// Config is the sink's configuration.
type Config struct {
	postgres.Connection
	Replace bool `key:"replace" help:"drop the tables of this prefix that are there and restore over them; without it a target that is not empty is refused"`
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
		NewSink: func(_ context.Context, cfg any, env stage.Env) (stage.Sink, error) {
			c, ok := cfg.(*Config)
			if !ok {
				return nil, fmt.Errorf("sink postgres: configuration of type %T", cfg)
			}
			return &Sink{config: *c, env: env}, nil
		},
	}
}

const doc = `Tables are created, filled with COPY, then get their primary keys, indexes and
sequences as Moodle makes them, and are read back for the proof. A row that the
server refuses is named and left out; all others are loaded.
An index that a row is too large for (PostgreSQL holds some 2700 bytes of a row in
one) is named and left out: accept it as a loss of kind index.

From its start until all is in place, a table ` + "`<prefix>vault_restoring`" + ` stands in the
schema: a site with it is not whole. A run that was interrupted, or whose proof
failed, leaves it there; restore again with ` + "`replace: true`" + `.

Every session sets the server's settings that change what is written, and reads them back; a
parameter of the DSN that says otherwise is refused.

The database must have encoding UTF8, and the user needs CREATE on the schema; to
replace tables it must own them. Enumeration types are named with the prefix.`
