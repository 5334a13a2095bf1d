package restore

import (
	"context"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
)

// Guard returns the description of the action restore-guard.
func Guard() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name: "restore-guard", Role: stage.RoleAction,
			Summary: "Refuses to replace a site that does not allow it, or that is not meant, and asks for confirmation.",
			Doc: `The sink moodle adds it by itself. It runs when: planned, before anything is written. ` + permission.Doc + `

` + otherSite.Doc + `

The text to confirm shows both sites with their names, addresses, identifiers, versions and sizes. ` + "`--yes`" + ` confirms it in scripts.`,
			Config: func() any { return &guardConfig{} },
		},
		NewAction: stage.Typed(func(_ context.Context, c *guardConfig, _ stage.Env) (stage.Action, error) {
			return &guard{cfg: *c}, nil
		}),
	}
}

// Check returns the description of the action check-restore.
func Check() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name: "check-restore", Role: stage.RoleAction,
			Summary: "Checks whether a backup fits the site that it is restored into.",
			Doc: `The sink moodle adds it by itself. It runs when: planned, before anything is written, and changes nothing. The checks are
described in [checks.md](../checks.md).`,
			Config: func() any { return &checkConfig{} },

			SecretFacts: []string{moodle.OverridesFact},
		},
		NewAction: stage.Typed(func(_ context.Context, c *checkConfig, _ stage.Env) (stage.Action, error) {
			return &checker{cfg: *c}, nil
		}),
	}
}
