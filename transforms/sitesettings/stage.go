// Package sitesettings implements the transform that changes what Moodle itself keeps in
// the database about its code, its caches and its sessions, on the way into a site. The new
// site thus has it from the first moment, proven and published together with its data.
package sitesettings

import (
	"context"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/stage"
)

// Config is the configuration of the transform.
type Config struct {
	Overrides       bool     `key:"overrides" default:"true" help:"apply the settings that config.php of the original site forced: those of the backup that exist in the tables config and config_plugins get the forced value"`
	Dir             string   `key:"dir" help:"the code of the site that gets the data; without it, the version hash stays as it is" example:"/var/www/moodle"`
	Admin           string   `key:"admin" help:"name of the directory admin in dir, as $CFG->admin; default: admin"`
	ThemeDir        string   `key:"themedir" help:"directory of themes, as $CFG->themedir; default: theme in dir"`
	Preserved       []string `key:"preserved_plugins" help:"plugins whose rows the target keeps, so that their versions in the backup do not matter" example:"[local_school]"`
	ResetIdentifier bool     `key:"reset_identifier" default:"false" help:"give the site a new identifier, as for a copy that runs beside the original"`
	Address         string   `key:"address" help:"the address of the site that gets the data, for its new identifier; default: the original's" example:"https://moodle.example.org"`
}

// Validate checks the address.
func (c *Config) Validate() error {
	if c.Address != "" && host(c.Address) == "" {
		return config.At("address", "address is not http://HOST or https://HOST")
	}
	return nil
}

// Stage returns the description of the transform.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "site-settings",
			Role:    stage.RoleTransform,
			Summary: "Changes Moodle's settings on the way into a site: forced settings, caches, sessions, version hash.",
			Doc:     doc,
			Config:  func() any { return &Config{Overrides: true} },

			SecretFacts: []string{moodle.OverridesFact},
		},
		NewRecord: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.RecordTransform, error) {
			return edit.NewTransform(&settings{config: *c}), nil
		}),
	}
}

const doc = `The sink moodle uses it; list it only with the sinks mysql, postgres and sqlite.

- Settings that config.php of the original site forced get their forced values, unless overrides is false.
- Caches are invalidated: themerev, jsrev, templaterev and langrev, and cacherev of every course, get their next
  revision, and localcachedirpurged the time of the run. The action purge-caches empties the files.
- Sessions are removed: everybody has to log in again.
- allversionshash is set for the code in dir if all of it is installed in the data. If Moodle has to upgrade the data,
  it is removed, so that Moodle asks for the upgrade.
- The site gets a new identifier if reset_identifier is set: 32 random characters and the host of its address.

The run reports how many rows of each table were changed, dropped and added.`
