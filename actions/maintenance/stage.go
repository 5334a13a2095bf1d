// Package maintenance implements the action that closes a Moodle site for visitors and opens
// it again, by the file climaintenance.html in the data root.
package maintenance

import (
	"context"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/maintenance"
	"github.com/lmsvault/vault/core/stage"
)

// Config is the configuration of the action.
type Config struct {
	DataRoot string `key:"dataroot" required:"true" place:"dir" help:"the site's data root" example:"/var/moodledata"`
	Mode     string `key:"mode" required:"true" oneof:"on off" help:"on closes the site, off opens it" example:"on"`
	Message  string `key:"message" help:"what visitors see while the site is closed; plain text (default: a sentence that the site is being maintained)" example:"Back at 6 o'clock."`
	Mark     string `key:"mark" default:"maintenance" help:"a name that is kept in the file; only an action with the same name opens the site again"`
}

// reserved is the beginning of the marks of the sink dataroot.
const reserved = "restore "

// Validate checks the mark.
func (c *Config) Validate() error {
	if err := maintenance.ValidateOwner(c.Mark); err != nil {
		return config.At("mark", "mark %w", err)
	}
	if strings.HasPrefix(c.Mark, reserved) {
		return config.At("mark", "mark must not begin with %q", reserved)
	}
	return nil
}

// Stage returns the description of the action.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name: "maintenance", Role: stage.RoleAction, Summary: "Closes a Moodle site for visitors, or opens it again.",
			Doc: `Uses Moodle's command line maintenance mode: while the data root holds a file ` + "`climaintenance.html`" + `, Moodle answers
every request with it, cron does nothing, and only the scripts in ` + "`admin/cli`" + ` work. PHP is not needed. A running cron
job or request is not ended.

` + "`mode: on`" + ` creates the file if there is none, with ` + "`mark`" + ` in it. ` + "`mode: off`" + ` removes it only if it has that mark, or
if the sink ` + "`dataroot`" + ` left it (` + "`stays_closed`" + `). Anybody else's file stays, and a note says so. If a run is killed, the
site stays closed; the next run finds its own file and opens the site at its end, and so does ` + "`vault recover`" + `.

A site whose restore is not complete is never opened: its data root holds ` + "`.vault-restoring`" + ` or a prepared exchange in
` + "`.vault-swap`" + `.

Use ` + "`mode: on`" + ` below ` + "`before`" + ` and ` + "`mode: off`" + ` with ` + "`when: always`" + ` below ` + "`after`" + `. For a restore with
` + "`replace: in_place`" + ` use ` + "`when: success`" + `, because a failed one leaves no site. For a restore with ` + "`replace: true`" + ` neither
is needed: the sink ` + "`dataroot`" + ` closes the site while the old one is exchanged for the new one. No backup contains the file.`,
			Config: func() any { return &Config{} },
		},
		NewAction: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.Action, error) { return &action{config: c}, nil }),
	}
}
