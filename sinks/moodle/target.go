package moodle

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
)

// siteSettings locate the site that is replaced.
type siteSettings struct {
	Dir          string                   `key:"dir" required:"true" help:"the code of the site to restore into: the directory with config.php" example:"/var/www/moodle"`
	Address      string                   `key:"address" help:"the site's address; needed if config.php serves several sites and decides by the host name" example:"https://moodle.example.org"`
	Settings     map[string]config.Secret `key:"settings" help:"settings that replace those of config.php, for what it takes from elsewhere" example:"{dbpass: \"${env:MOODLE_DBPASS}\"}"`
	DatabaseOnly bool                     `key:"database_only" help:"restore only the database, for a site whose files stay, such as when its database moves to another engine"`
	Database     *database.Address        `key:"database" help:"the database to restore into, instead of that of config.php, to move the site to another server or engine; see also write_config"`
}

// target is the site that is replaced, and what the concerns have added so far.
type target struct {
	stage.Expansion
	env      stage.ExpandEnv
	site     *siteconfig.Site // config.php
	dataroot string
	database database.Address
}

// target reads config.php.
func (c *siteSettings) target(ctx context.Context, env stage.ExpandEnv) (*target, error) {
	site, err := siteconfig.Read(ctx, c.Dir, siteconfig.Options{Env: env.Lookup, Address: c.Address, Given: c.Settings})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, config.At("dir", "%s has no config.php; set dir to the directory with the site's code", c.Dir)
	}
	if err != nil {
		return nil, err
	}
	t := &target{env: env, site: site}
	t.dataroot, err = site.DataRoot()
	if c.Database != nil {
		t.database = *c.Database
		return t, err
	}
	there, bad := site.Database()
	if err := errors.Join(err, bad); err != nil {
		return nil, err
	}
	t.database = database.FromConfig(there)
	return t, nil
}

// filedir returns the directory of the file pool.
func (t *target) filedir() string { return filepath.Join(t.dataroot, "filedir") }

// dirs returns the directories that are restored.
func (c *siteSettings) dirs(t *target) []string {
	if c.DatabaseOnly {
		return nil
	}
	return []string{t.filedir(), t.dataroot}
}

// onSite returns an action on the target site. Its stage has the settings of
// database.Address, and dir, address and settings, with which it reads config.php. The
// caller may add settings.
func (c *siteSettings) onSite(t *target, use string) stage.Part {
	part := t.database.Action(use, use)
	part.Settings["dir"] = c.Dir
	if c.Address != "" {
		part.Settings["address"] = c.Address
	}
	if len(c.Settings) > 0 {
		part.Settings["settings"] = c.Settings
	}
	return part
}

// planned adds an action that runs once the plan is known.
func (t *target) planned(part stage.Part) {
	part.When = string(stage.MomentPlanned)
	t.Before = append(t.Before, part)
}
