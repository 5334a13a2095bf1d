// Package writeconfig implements the action that rewrites a site's config.php for another
// database, after the site has moved there.
package writeconfig

import (
	"context"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

// Config is the configuration of the action.
type Config struct {
	site.Settings
	Path string `key:"path" help:"the file to write; default: the site's own config.php" example:"/var/www/new/config.php"`
}

// Validate checks that there is another database.
func (c *Config) Validate() error {
	if c.Database == nil {
		return config.At("database", "database is required: the database that config.php shall name")
	}
	return nil
}

// Stage returns the description of the action.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name: "write-config", Role: stage.RoleAction,
			Summary: "Rewrites config.php for another database.",
			Doc: `Use it in after, once the site has moved to another server or engine; the sink moodle adds it with
` + "`write_config`" + `. It sets dbtype, dbhost, dbname, dbuser, dbpass, prefix and dboptions, and leaves all other text as it is.
The file that was there stays beside it as ` + "`config.php.vault-before`" + `. The exchange is atomic; mode and owner stay.

Only assignments of fixed values outside of conditions are edited, and the result is evaluated before it is written. If
config.php decides about its database in another way, such as by the environment, the file is not touched, and the
finding has the lines to write. The password is not shown.`,
			Config: func() any { return &Config{} },
		},
		NewAction: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.Action, error) { return &action{cfg: c}, nil }),
	}
}
