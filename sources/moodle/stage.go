// Package moodle implements the source for a whole Moodle site, a composite. It reads
// config.php and expands to the sources of the site's database, its file pool, its data root and the
// documents that describe it.
package moodle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
)

// Config is the configuration of the source.
type Config struct {
	Dir       string                   `key:"dir" required:"true" help:"the site's code: the directory with config.php" example:"/var/www/moodle"`
	Address   string                   `key:"address" help:"the site's address; needed if config.php serves several sites and decides by the host name" example:"https://moodle.example.org"`
	Settings  map[string]config.Secret `key:"settings" help:"settings that replace those of config.php, for what it takes from elsewhere" example:"{dbpass: \"${env:MOODLE_DBPASS}\"}"`
	ConfigPHP bool                     `key:"config_php" help:"back up config.php itself as site/config.php. It contains the password of the database, and whoever can read the snapshot can read it"`
	partSettings
}

// Stage returns the description of the source.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "moodle",
			Role:    stage.RoleSource,
			Summary: "Reads a whole Moodle site: database, file pool and data root, as its config.php says.",
			Doc:     doc,
			Parts:   []string{stage.DB, stage.Filedir, stage.Dataroot, stage.Site},
			Config:  func() any { return &Config{} },
		},
		Expand: func(ctx context.Context, cfg any, env stage.ExpandEnv) (*stage.Expansion, error) {
			c, ok := cfg.(*Config)
			if !ok {
				return nil, fmt.Errorf("source moodle: configuration is a %T", cfg)
			}
			return c.expand(ctx, env)
		},
	}
}

const doc = `config.php is evaluated, not executed: PHP is not needed. It may take values from the environment; set the
same variables for vault. A value that cannot be determined is an error that names the line, and settings
gives the value instead.

The source stands for four others, which vault plan and vault lint show: mysql, postgres or sqlite for the
database (the primary one, if there are read-only replicas), files for the file pool, dataroot for the
rest of the data root, and site for documents about the site, among them the settings that config.php forces.
Use these instead to set their other options.

Sessions are backed up as a table without rows.`

// expand reads config.php.
func (c *Config) expand(ctx context.Context, env stage.ExpandEnv) (*stage.Expansion, error) {
	site, err := siteconfig.Read(ctx, c.Dir, siteconfig.Options{Env: env.Lookup, Address: c.Address, Given: c.Settings})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, config.At("dir", "%s has no config.php; set dir to the directory with the site's code", c.Dir)
	}
	if err != nil {
		return nil, err
	}
	tables, err := site.Database()
	root, rootErr := site.DataRoot()
	if err := errors.Join(err, rootErr); err != nil {
		return nil, err
	}
	address := database.FromConfig(tables)
	return &stage.Expansion{
		Parts: c.chosen(map[string]stage.Part{
			stage.DB:       address.Part("database"),
			stage.Filedir:  {Name: "files", Use: "files", Settings: map[string]any{"dir": filepath.Join(root, "filedir")}},
			stage.Dataroot: {Name: "dataroot", Use: "dataroot", Settings: map[string]any{"dir": root}},
			stage.Site:     {Name: "site", Use: "site", Settings: c.site()},
		}),
		Standing: selection.Selection{StructureOnly: []string{"sessions"}},
	}, nil
}

// site returns the settings of the source that describes the site.
func (c *Config) site() map[string]any {
	settings := map[string]any{"dir": c.Dir, "config_php": c.ConfigPHP}
	if c.Address != "" {
		settings["address"] = c.Address
	}
	if len(c.Settings) > 0 {
		settings["settings"] = c.Settings
	}
	return settings
}
