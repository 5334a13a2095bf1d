// Package removemissing implements the action that uninstalls plugins whose code is missing,
// as far as that is possible without their code.
//
// missing.go finds the plugins, plan.go what belongs to them, and remove.go removes it.
package removemissing

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

// Name is the name of the action.
const Name = "remove-missing"

// Config is the configuration of the action.
type Config struct {
	site.Settings
}

// Stage returns the description of the action.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name: Name, Role: stage.RoleAction, Summary: "Uninstalls plugins that are in a site's database and whose code is missing.",
			Doc:    doc,
			Config: func() any { return &Config{} },
		},
		NewAction: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.Action, error) { return &action{config: c}, nil }),
	}
}

const doc = `Of each missing plugin it removes the tables whose names show that they are the plugin's, and its settings, capabilities,
tasks, files, web services, tags, calendar events, message providers and preferences; of an activity also its activities in courses and
their grades, and of a block its instances. PHP is not needed. A finding for each plugin lists what was removed, and says what
still refers to the plugin.

It refuses to work while Moodle needs an upgrade. It leaves plugins that Moodle itself has removed to Moodle's upgrade,
and plugins that are part of Moodle, whose code is incomplete. Contents of removed files stay in the file pool, and contexts in the database,
until Moodle's own tasks remove them.

On PostgreSQL and SQLite all is removed in one transaction. On MySQL and MariaDB tables are dropped first, and rows in one
transaction; after an interruption, run it again.`
