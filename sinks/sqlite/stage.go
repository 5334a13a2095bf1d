// Package sqlite is the sink that writes a site's tables into a SQLite database.
package sqlite

import (
	"context"

	dialect "github.com/lmsvault/vault/dialects/sqlite"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
)

// Config is where the database goes.
type Config struct {
	Path   string `key:"path" required:"true" place:"file" help:"the database file to write" example:"/srv/site.sqlite"`
	Prefix string `key:"prefix" default:"mdl_" place:"prefix" help:"what the names of the tables begin with; may be empty"`
	moodle.Replacing
}

// Stage describes the sink.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "sqlite",
			Role:    stage.RoleSink,
			Summary: "Writes a site's tables into a SQLite database that anyone can open and query without a server.",
			Doc: "The file is written as `PATH.vault-partial` and gets its name when it is complete and proven; a second run into it is refused meanwhile. With replace, the old database stays until then, also with in_place. Every value comes back exactly. " +
				"Numbers are numbers; decimals of more than 15 digits, dates and times are text; a number that SQLite has no class for " +
				"(above 2^63-1, -0, NaN) is a blob of its digits. Text is compared byte by byte, so `a` and `A` differ. Comments are left out.",
			Parts:   []string{stage.DB},
			Dialect: dialect.Dialect,
			Config:  func() any { return &Config{Prefix: "mdl_"} },
		},
		NewSink: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.Sink, error) {
			return New(*c), nil
		}),
	}
}
