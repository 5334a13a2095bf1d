package moodle

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// Values of settings whose default the target's plugin tool_vault may set.
const (
	yes = "true"
	ask = "auto"
)

// afterSettings say what happens after a restore.
type afterSettings struct {
	Purge      bool     `key:"purge_caches" default:"true" help:"empty the target's caches after the restore"`
	Upgrade    string   `key:"upgrade" default:"auto" oneof:"auto true false" help:"run Moodle's upgrade if the target's code is newer than the backup, which needs PHP: true, false (only say the command), or auto: as the setting upgradeafterrestore of the target's plugin tool_vault, else false"`
	UpgradeVia []string `key:"upgrade_via" help:"directories with the code of releases in between, for a backup that is too old for the target's code" example:"[/code/moodle-4.1, /code/moodle-4.5]"`
	Missing    string   `key:"remove_missing" default:"auto" oneof:"auto true false" help:"uninstall plugins of the backup whose code the target lacks, as the action remove-missing does: true, false, or auto: as the setting restoreremovemissing of the target's plugin tool_vault, else false"`
	PHP        string   `key:"php" default:"php" help:"the program php, for the upgrade" example:"/usr/bin/php8.3"`
}

// check checks the paths.
func (c *afterSettings) check() error {
	for i, dir := range c.UpgradeVia {
		if !filepath.IsAbs(dir) {
			return config.At(fmt.Sprintf("upgrade_via[%d]", i), "upgrade_via must list absolute paths")
		}
	}
	if len(c.UpgradeVia) > 0 && c.Upgrade == "false" {
		return config.At("upgrade_via", "upgrade_via has no effect with upgrade: false")
	}
	return nil
}

// after adds what is done with the restored site: its caches are emptied first, because
// the upgrade must not use them.
func (c *Config) after(ctx context.Context, t *target) error {
	if c.Purge {
		t.After = append(t.After, c.onSite("purge-caches"))
	}
	run, err := t.wanted(ctx, c.Upgrade, "upgradeafterrestore")
	if err != nil {
		return err
	}
	run = run || len(c.UpgradeVia) > 0
	upgrade := func(name string) stage.Part {
		part := c.onDatabase(t, "upgrade")
		part.Name, part.Settings["run"], part.Settings["php"] = name, run, c.PHP
		if len(c.UpgradeVia) > 0 {
			part.Settings["via"] = c.UpgradeVia
		}
		return part
	}
	if run {
		t.planned(upgrade("upgrade-check"))
	}
	t.After = append(t.After, upgrade("upgrade"))
	missing, err := t.wanted(ctx, c.Missing, "restoreremovemissing")
	if err != nil || !missing {
		return err
	}
	t.After = append(t.After, c.onDatabase(t, "remove-missing"))
	if c.Purge { // Moodle caches the list of plugins
		again := c.onSite("purge-caches")
		again.Name = "purge-caches-again"
		t.After = append(t.After, again)
	}
	return nil
}
