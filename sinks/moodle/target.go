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
	Dir      string                   `key:"dir" required:"true" help:"the code of the site to restore into: the directory with config.php" example:"/var/www/moodle"`
	Address  string                   `key:"address" help:"the site's address; needed if config.php serves several sites and decides by the host name" example:"https://moodle.example.org"`
	Settings map[string]config.Secret `key:"settings" help:"settings that replace those of config.php, for what it takes from elsewhere" example:"{dbpass: \"${env:MOODLE_DBPASS}\"}"`
	Database *database.Address        `key:"database" help:"the database to restore into, instead of that of config.php, to move the site to another server or engine; see also write_config"`
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
	t.database = database.Address{Engine: string(there.Engine), DSN: there.DSN(), Prefix: there.Prefix, Schema: there.Schema}
	return t, nil
}

// filedir returns the directory of the file pool.
func (t *target) filedir() string { return filepath.Join(t.dataroot, "filedir") }

// databaseSettings returns the settings that an action with an embedded database.Address
// takes, in a new map.
func (t *target) databaseSettings() map[string]any {
	settings := t.connection()
	settings["engine"] = t.database.Engine
	return settings
}

// connection returns the settings of the database that the sinks take, too.
func (t *target) connection() map[string]any {
	settings := map[string]any{"prefix": t.database.Prefix}
	if t.database.Path != "" {
		settings["path"] = t.database.Path
		return settings
	}
	settings["dsn"] = t.database.DSN
	if t.database.Schema != "" {
		settings["schema"] = t.database.Schema
	}
	return settings
}
