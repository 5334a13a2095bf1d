// Package moodle implements the sink for a whole Moodle site, a composite. It reads
// config.php of the site that is replaced and expands to the sinks of its database, its
// file pool and its data root, with the checks before a restore and the work after it.
//
// Each concern has a file with its settings, which Config embeds, and a method that adds to
// the expansion; see concerns.
package moodle

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/lmsvault/vault/core/stage"
)

// Config is the configuration of the sink.
type Config struct {
	siteSettings
	partSettings
	preserveSettings
	checkSettings
	guardSettings
	valueSettings
	addressSettings
	cloneSettings
	configSettings
	afterSettings
	maintenanceSettings
}

// Validate checks the settings of the concerns.
func (c *Config) Validate() error {
	return errors.Join(c.siteSettings.check(), c.preserveSettings.check(), c.addressSettings.check(), c.configSettings.check(&c.siteSettings), c.afterSettings.check())
}

// concerns lists what adds to the expansion, in this order. Actions that run at the same
// moment run in the order in which they are added.
func (c *Config) concerns() []func(context.Context, *target) error {
	return []func(context.Context, *target) error{
		c.keep, // first, as others need to know what stays
		c.parts,
		c.values,
		c.newAddress,
		c.clone,
		c.preserve, // last of the transforms: what stays is not changed
		c.configPHP,
		c.after,
		c.checks,
		c.guard,       // last of the checks that run when: planned, as it asks for confirmation
		c.maintenance, // last of all
	}
}

// Stage returns the description of the sink.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "moodle",
			Role:    stage.RoleSink,
			Summary: "Restores a whole Moodle site: database, file pool and data root, as the config.php of the target says.",
			Doc:     doc,
			Parts:   []string{stage.DB, stage.Filedir, stage.Dataroot},
			Config:  func() any { return &Config{} },
		},
		Expand: func(ctx context.Context, cfg any, env stage.ExpandEnv) (*stage.Expansion, error) {
			c, ok := cfg.(*Config)
			if !ok {
				return nil, fmt.Errorf("sink moodle: configuration is a %T", cfg)
			}
			return c.expand(ctx, env)
		},
	}
}

// expand reads the target's config.php and collects what all concerns add.
func (c *Config) expand(ctx context.Context, env stage.ExpandEnv) (*stage.Expansion, error) {
	t, err := c.target(ctx, env)
	if err != nil {
		return nil, err
	}
	for _, add := range c.concerns() {
		if err := add(ctx, t); err != nil {
			return nil, err
		}
	}
	if !slices.ContainsFunc(t.Parts, func(p stage.Part) bool { return p.Name == databasePart }) {
		t.Transforms = nil // no rows are restored
	}
	return &t.Expansion, nil
}

const doc = `The target is the site whose code is in dir: its config.php says where the database, the file pool and
the data root are. config.php is evaluated, not executed: PHP is not needed. It may take values from the environment; set the
same variables for vault. A value that cannot be determined is an error that names the line, and settings
gives the value instead. database restores into another database than that of config.php.

The sink stands for three others, which vault plan and vault lint show: mysql, postgres or sqlite for the
database, files for the file pool and dataroot for the rest of the data root.

Sessions and the tables and settings of the plugin tool_vault are not restored; a target that has the plugin
keeps its own.

A target whose address is not the one of the original is treated as a copy until a person says otherwise: it gets no mail, no
cron and no keys of other services, see clone. If the backup does not say where its site was, set clone to true or false.`
