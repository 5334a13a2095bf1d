// Package sqlite is the source that reads a site's tables from an SQLite database.
package sqlite

import (
	"context"

	dialect "github.com/lmsvault/vault/dialects/sqlite"

	"github.com/lmsvault/vault/core/stage"
)

// Config is the configuration of the source.
type Config struct {
	Path   string `key:"path" required:"true" place:"file" help:"the database file" example:"/srv/site.sqlite"`
	Prefix string `key:"prefix" default:"mdl_" place:"prefix" help:"prefix of the site's table names; may be empty. A prefix without a Moodle site is refused if the database has a site with another prefix"`
}

// Stage describes the source.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "sqlite",
			Role:    stage.RoleSource,
			Summary: "Reads a site's tables from an SQLite database.",
			Doc: "All tables are read in one transaction and are consistent. In WAL mode other programs can write " +
				"meanwhile; in the other journal modes they wait. A database that Vault did not create is read twice: SQLite lets a " +
				"column hold values of any type, so column types are widened to fit their values, which the plan notes.",
			Parts:   []string{stage.DB},
			Dialect: dialect.Dialect,
			Config:  func() any { return &Config{Prefix: "mdl_"} },
		},
		NewSource: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.Source, error) {
			return New(*c), nil
		}),
	}
}
