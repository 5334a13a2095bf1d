// Package replaceaddress implements the transform that replaces the address of a site in
// all texts of its database on their way into a target.
package replaceaddress

import (
	"context"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/address"
	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/stage"
)

// Config is the configuration of the transform.
type Config struct {
	From        string `key:"from" help:"the address to replace; default: that of the site that is read, as its config.php has it" example:"http://moodle.example.org/lms"`
	To          string `key:"to" required:"true" help:"the new address" example:"https://learn.example.org"`
	OtherScheme bool   `key:"other_scheme" help:"also replace the old address with https if it has http, and with http if it has https"`
}

// Validate checks the addresses.
func (c *Config) Validate() error {
	if _, err := address.Parse(c.To); err != nil {
		return config.At("to", "%w", err)
	}
	if _, err := address.Parse(c.From); c.From != "" && err != nil {
		return config.At("from", "%w", err)
	}
	return nil
}

// Stage returns the description of the transform.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "replace-address",
			Role:    stage.RoleTransform,
			Summary: "Replaces the site's address in all texts of the database.",
			Doc:     doc,
			Config:  func() any { return &Config{} },
		},
		NewRecord: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.RecordTransform, error) {
			e, err := address.New(address.Options{From: c.From, To: c.To, OtherScheme: c.OtherScheme})
			if err != nil {
				return nil, err
			}
			return edit.NewTransform(e), nil
		}),
	}
}

const doc = `The sink moodle uses it for replace_address; list it only with other sinks. The action replace-address does the
same in a site that exists, and lists what it would do.

` + address.Doc + `

A value that can't be changed safely stays as it is. The run notes each one, with its table, key and column, and how
many rows of each table were changed.`
