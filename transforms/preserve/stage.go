// Package preserve implements the transform that keeps parts of the site in the target when
// a restore replaces it: the settings and other rows of plugins in tables that all plugins
// share, and passwords.
package preserve

import (
	"context"

	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
)

// Config is the configuration of the transform.
type Config struct {
	database.Address
	Plugins   []string `key:"plugins" help:"plugins whose rows in shared tables stay as they are in the target; their own tables are kept by the setting preserve of the sink" example:"[mod_attendance, block_checklist]"`
	Passwords bool     `key:"passwords" help:"users who log in with a password on both sides keep that of the target"`
}

// Stage returns the description of the transform.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name: "preserve", Role: stage.RoleTransform, Summary: "Keeps rows of plugins, and passwords, of the site that is replaced.",
			Doc:    doc,
			Config: func() any { return &Config{} },
		},
		NewRecord: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.RecordTransform, error) {
			return New(*c), nil
		}),
	}
}

const doc = `The sink moodle uses it for its settings preserve_plugins and preserve_passwords. The database is that of the site
which is replaced; it is read before anything is written, and not changed.

For each plugin, the rows of the backup are left out of the tables that all plugins share, and those of the target are added
with new IDs: settings, scheduled tasks, ad hoc tasks without a user, capabilities, external functions and services, message
providers, handlers of incoming mail, tag areas and collections, and files. Not kept are what belongs to users or courses: events,
tags, preferences, permissions of roles, and tokens. Files that refer to a repository are not kept either, and the others
have no user afterwards. Functions of the plugin in services of others stay as the backup has them.

Passwords stay for users with the same username and MNet host whose authentication is manual on both sides; the notes
count the others.`

// New returns the transform.
func New(c Config) stage.RecordTransform {
	e := &old{config: c}
	return &transform{edit.NewTransform(e), e}
}

// transform keeps rows, and says whose password was not kept.
type transform struct {
	*edit.Transform
	old *old
}

var (
	_ stage.Preparer = (*transform)(nil)
	_ stage.Noter    = (*transform)(nil)
)

// Notes counts the users whose password was not kept.
func (t *transform) Notes(ctx context.Context) ([]stage.Note, error) {
	notes, err := t.Transform.Notes(ctx)
	return append(notes, t.old.passwords.notes()...), err
}
