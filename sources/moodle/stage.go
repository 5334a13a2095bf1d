// Package moodle implements the source for a whole Moodle site, a composite. It reads
// config.php and expands to the sources of the site's database, its file pool, its data root and the
// documents that describe it.
package moodle

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle"
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
	excludeSettings
	checkSettings
}

// Validate checks the settings that are embedded.
func (c *Config) Validate() error {
	return errors.Join(c.partSettings.check(), c.excludeSettings.check())
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

Before every backup, the action check-backup checks the site; see docs/checks.md. A check that fails refuses the
run: remove the cause, exclude what it concerns, accept the loss, or leave the check out with skip_checks.

Left out always: the tables and settings of the plugin tool_vault, and the rows of the tables sessions,
mnet_session, cache_flags and lock_db, which concern what runs at this moment. The data root's caches, temporary
files, sessions and locks are left out by the source dataroot.

A plugin is left out (exclude: plugins) with its own tables, by its install.xml, and with its rows in tables
of Moodle: services and tokens, events, tasks, capabilities and their assignments to roles, message providers
and preferences, tags, files and settings. The contents of its files stay in the file pool. Plugins of some types leave
something behind that refers to them, such as the instances of a block; the plan says so.

What the settings backupexcludetables, backupexcludedataroot and backupexcludeplugins of tool_vault in the site
leave out is left out here, too, unless the same is set in the pipeline; an empty list, [], leaves out
nothing. The compression level of tool_vault is not used; see the transform compress.`

// expand reads config.php and, if the site may be asked, its settings.
func (c *Config) expand(ctx context.Context, env stage.ExpandEnv) (_ *stage.Expansion, err error) {
	o, err := c.origin(ctx, env)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, o.close(ctx)) }()
	o.always()
	o.chosenTables(c.Exclude)
	include := o.chosenFiles(&c.excludeSettings)
	plugins, err := o.chosenPlugins(ctx, c.Exclude.Plugins)
	if err != nil {
		return nil, err
	}
	if !env.Online && (c.Exclude.Plugins == nil || c.Exclude.Tables == nil || c.Exclude.Dataroot == nil) {
		o.note("what the settings of tool_vault in the site leave out is determined when the pipeline runs")
	}
	rest := map[string]any{"dir": o.dataroot}
	if len(include) > 0 {
		rest["include"] = include
	}
	return &stage.Expansion{
		Parts: c.chosen(map[string]stage.Part{
			stage.DB:       o.address.Part("database"),
			stage.Filedir:  {Name: "files", Use: "files", Settings: map[string]any{"dir": filepath.Join(o.dataroot, moodle.FiledirName)}},
			stage.Dataroot: {Name: "dataroot", Use: "dataroot", Settings: rest},
			stage.Site:     {Name: "site", Use: "site", Settings: c.site(plugins, o.address)},
		}),
		Before:    []stage.Part{c.checks(o)},
		Selection: o.selection,
		Standing:  o.standing,
		Notes:     o.notes,
	}, nil
}

// site returns the settings of the source that describes the site. They name the database,
// because config.php may take it from an environment that the source's process does not have.
func (c *Config) site(without []string, at database.Address) map[string]any {
	settings := map[string]any{"dir": c.Dir, "config_php": c.ConfigPHP, "database": at.Action("", "").Settings}
	if len(without) > 0 {
		settings["without_plugins"] = without
	}
	if c.Address != "" {
		settings["address"] = c.Address
	}
	if len(c.Settings) > 0 {
		settings["settings"] = c.Settings
	}
	return settings
}
