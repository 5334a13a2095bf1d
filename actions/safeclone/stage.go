// Package safeclone implements the action that makes a copy of a site safe that exists
// already.
package safeclone

import (
	"context"

	"github.com/lmsvault/vault/core/moodle/clone"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

// Config is the configuration of the action.
type Config struct {
	site.Settings
	Copy bool `key:"copy" help:"the site is a copy, even if no address of an original is recorded in it, or one that is its own"`
	clone.Config
}

// Validate checks the settings.
func (c *Config) Validate() error { return c.Config.Validate() }

// Stage returns the description of the action.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name: "safe-clone", Role: stage.RoleAction, Summary: "Makes a copy of a site that exists safe: no mail, no cron, no keys of other services.",
			Doc: `The action takes the measures of the transform safe-clone, which its page lists, in the database of a site. It may run again at any
time: what is done already stays as it is. It reports what each measure did, and settings that config.php forces and that
therefore win. A dry run counts only.

It refuses a site that may be the original. The sink moodle and the transform safe-clone record in a copy which address its
original had; a site with another address than those is a copy. A site in which nothing is recorded, for example one that was
copied with other tools, is a copy if a person says so with ` + "`copy: true`" + `.

Moodle caches settings: empty the caches afterwards, with the action purge-caches. ` + "`vault moodle safe-clone`" + ` does both.`,
			Config: func() any { return &Config{} },
		},
		NewAction: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.Action, error) { return &action{config: c}, nil }),
	}
}
