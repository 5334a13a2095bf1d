package moodle

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

// valueSettings say how settings of Moodle change on the way into the target.
type valueSettings struct {
	Overrides       bool `key:"overrides" default:"true" help:"apply the settings that config.php of the original site forced"`
	ResetIdentifier bool `key:"reset_identifier" default:"false" help:"give the site a new identifier, as for a copy that runs beside the original"`
}

// values adds the transform that changes settings, drops sessions and invalidates caches.
func (c *Config) values(_ context.Context, t *target) error {
	code := site.CodeOptions(t.config)
	settings := map[string]any{"dir": t.config.Dir, "overrides": c.Overrides, "reset_identifier": c.ResetIdentifier}
	if len(t.plugins) > 0 {
		settings["preserved_plugins"] = t.plugins
	}
	if code.Admin != "" {
		settings["admin"] = code.Admin
	}
	if code.ThemeDir != "" {
		settings["themedir"] = code.ThemeDir
	}
	if address, err := t.config.WWWRoot(); err == nil { // else that of the original site
		settings["address"] = address
	}
	t.Transforms = append(t.Transforms, stage.Part{Name: "settings", Use: "site-settings", Settings: settings})
	return nil
}
