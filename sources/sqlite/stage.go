// Package sqlite is the source that reads a site's tables from a SQLite database.
package sqlite

import (
	"context"

	dialect "github.com/lmsvault/vault/dialects/sqlite"

	"github.com/lmsvault/vault/core/stage"
)

// Config is where the database is.
type Config struct {
	Path   string `key:"path" required:"true" place:"file" help:"the database file" example:"/srv/site.sqlite"`
	Prefix string `key:"prefix" default:"mdl_" place:"prefix" help:"what the names of the site's tables begin with; may be empty. One that is not a Moodle site's is refused if another is"`
}

// Stage describes the source.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "sqlite",
			Role:    stage.RoleSource,
			Summary: "Reads a site's tables from a SQLite database.",
			Doc: "All tables are read in one transaction, so they are of one moment. In WAL mode other programs go on writing " +
				"meanwhile; in the other journal modes they wait. A database that Vault did not make is read twice: SQLite lets a " +
				"column hold values of any type, so the types of columns that do are widened to what they hold, which is said in the plan.",
			Parts:   []string{stage.DB},
			Dialect: dialect.Dialect,
			Config:  func() any { return &Config{Prefix: "mdl_"} },
		},
		NewSource: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.Source, error) {
			return New(*c), nil
		}),
	}
}
