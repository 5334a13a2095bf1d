// Package sqlite is the sink that writes a site's tables to an SQLite database.
package sqlite

import (
	"context"

	dialect "github.com/lmsvault/vault/dialects/sqlite"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
)

// Config is the configuration of the sink.
type Config struct {
	Path   string `key:"path" required:"true" place:"file" help:"the database file to write" example:"/srv/site.sqlite"`
	Prefix string `key:"prefix" default:"mdl_" place:"prefix" help:"prefix of the table names; may be empty"`
	moodle.Replacing
}

// Stage describes the sink.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "sqlite",
			Role:    stage.RoleSink,
			Summary: "Writes a site's tables to an SQLite database, which can be opened and queried without a server.",
			Doc: "The file is written as `PATH.vault-partial` and renamed when it is complete and proven; until then a second run into it is refused. With replace, also with in_place, the old database stays until then. Every value is preserved exactly. " +
				"Numbers are numbers; decimals of more than 15 digits, dates and times are text; a number that no storage class of SQLite can hold " +
				"(above 2^63-1, -0, NaN) is a blob of its digits. Text is compared byte by byte, so `a` and `A` differ. Comments are dropped.",
			Parts:   []string{stage.DB},
			Dialect: dialect.Dialect,
			Config:  func() any { return &Config{Prefix: "mdl_"} },
		},
		NewSink: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.Sink, error) {
			return New(*c), nil
		}),
	}
}
