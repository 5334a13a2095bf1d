package moodle

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/clone"
	"github.com/lmsvault/vault/core/stage"
)

// cloneSettings say whether the target becomes a safe copy.
type cloneSettings struct {
	Clone    string        `key:"clone" default:"auto" oneof:"auto true false" help:"make the target a safe copy, as the transform safe-clone does: auto does it if the address of the target is not that of the original; set false if the target replaces the original at a new address"`
	Measures *clone.Config `key:"clone_measures" help:"which measures to take, and their settings, as for the transform safe-clone" example:"{webservices: false, admin_password: \"${env:COPY_PASSWORD}\"}"`
}

// clone adds the transform that makes a copy safe. It follows that of the settings, which
// may bring back what the original's config.php forced.
func (c *Config) clone(_ context.Context, t *target) error {
	if c.Clone == "false" {
		return nil
	}
	settings := map[string]any{}
	if c.Measures != nil {
		raw, err := config.Encode(c.Measures)
		if err == nil {
			err = json.Unmarshal(raw, &settings)
		}
		if err != nil {
			return config.At("clone_measures", "clone_measures: %w", err)
		}
	}
	if c.Clone != yes {
		address, err := t.config.WWWRoot()
		if err != nil {
			return fmt.Errorf("whether the target is a copy depends on its address; set clone to true or false, or: %w", err)
		}
		settings["address"] = address
	}
	t.Transforms = append(t.Transforms, stage.Part{Name: "clone", Use: "safe-clone", Settings: settings})
	return nil
}
