// Package replaceaddress implements the action that replaces the address of a site in all
// texts of its database.
package replaceaddress

import (
	"context"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/address"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

// Config is the configuration of the action.
type Config struct {
	site.Settings
	From        string `key:"from" required:"true" help:"the address to replace" example:"http://moodle.example.org/lms"`
	To          string `key:"to" help:"the new address; default: $CFG->wwwroot in config.php" example:"https://learn.example.org"`
	OtherScheme bool   `key:"other_scheme" help:"also replace the old address with https if it has http, and with http if it has https"`
}

// Validate checks the addresses.
func (c *Config) Validate() error {
	if _, err := address.Parse(c.From); err != nil {
		return config.At("from", "%w", err)
	}
	if _, err := address.Parse(c.To); c.To != "" && err != nil {
		return config.At("to", "%w", err)
	}
	return nil
}

// Stage returns the description of the action.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name: "replace-address", Role: stage.RoleAction, Summary: "Replaces the address in all texts of a site's database.",
			Doc:    doc,
			Config: func() any { return &Config{} },
		},
		NewAction: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.Action, error) { return &action{config: c}, nil }),
	}
}

const doc = `For a restore, set replace_address in the sink moodle instead: the new site then has its address from the
first moment. This action is for a site that exists; "vault moodle replace-address" runs it, too. Put the site into
maintenance mode, make a backup, and purge the caches afterwards. It does not change config.php.

` + address.Doc + `

Each table is changed in a transaction of its own. If the action fails, run it again: what it has replaced stays. A
plan or a dry run counts and shows examples. A value that can't be changed safely stays as it is, with a warning that
names its table, key and column.`
