// Package safeclone implements the transform that makes a copy of a site safe before it
// exists: its rows are changed on their way into the target.
package safeclone

import (
	"context"
	"strings"

	"github.com/lmsvault/vault/core/moodle/clone"
	"github.com/lmsvault/vault/core/stage"
)

// Config is the configuration of the transform.
type Config struct {
	Address string `key:"address" open:"true" help:"address of the target ($CFG->wwwroot): the measures are taken only if the original has another one; default: they are taken in any case" example:"https://staging.example.org"`
	clone.Config
}

// Stage returns the description of the transform.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name: "safe-clone", Role: stage.RoleTransform, Summary: "Makes a copy of a site safe: no mail, no cron, no keys of other services.",
			Doc:    doc(),
			Config: func() any { return &Config{} },
		},
		NewRecord: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.RecordTransform, error) { return New(*c), nil }),
	}
}

func doc() string {
	return `The rows are changed on their way, so a copy is never live with mail on. Sink ` + "`moodle`" + ` adds the transform when it
restores a site at another address; see its setting ` + "`clone`" + `. The action safe-clone does the same in a copy that exists.

` + Measures() + `

Tables and columns that the site does not have are skipped. Settings that the config.php of the copy forces win over what is
set here. The address of the original is recorded in ` + "`config_plugins`" + ` (plugin ` + "`vault`" + `), so that the action can tell
the copy from the original later.

Not changed: what add-ons keep in tables of their own, what a theme or an add-on loads from other sites, contents and files.
To mask personal data, add the transform mask.`
}

// Measures returns the table of measures for documentation, in Markdown.
func Measures() string {
	var b strings.Builder
	b.WriteString("| setting | measure | what is changed |\n|---|---|---|\n")
	for _, m := range clone.Measures() {
		b.WriteString("| `" + m.ID + "` | " + m.Title + " | " + m.Doc + " |\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}
