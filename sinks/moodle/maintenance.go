package moodle

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
)

// maintenanceSettings say how long the site is closed for visitors.
type maintenanceSettings struct {
	Close string `key:"close_site" default:"exchange" oneof:"exchange run" help:"how long visitors find the site closed: exchange, while the old site is exchanged for the new one and during the work after that; run, from before anything is written until the end. With replace: in_place it is always run"`
}

// maintenance adds the actions that close and open the site. The opening is the last action
// of all, and the closing the last one before anything is written. If a restore in place
// fails, the site stays closed, because it is not whole.
func (c *Config) maintenance(_ context.Context, t *target) error {
	inPlace := c.Replace == string(stage.ReplaceInPlace)
	during := c.Close == "run" || inPlace
	if !during && !c.restores(stage.Dataroot) { // then nothing closes it
		return nil
	}
	part := func(mode string) stage.Part {
		return stage.Part{Name: "maintenance-" + mode, Use: "maintenance", Settings: map[string]any{"dataroot": t.dataroot, "mode": mode, "mark": "moodle-restore"}}
	}
	if during {
		t.planned(part("on"))
	}
	off := part("off")
	off.When = "always"
	if inPlace {
		off.When = "success"
	}
	t.After = append(t.After, off)
	return nil
}
