// Package site is the source that describes a Moodle site: documents for people and facts
// for a restore, from the site's code, its config.php and its settings.
package site

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

// Config is the configuration of the source.
type Config struct {
	site.Settings
	ConfigPHP bool     `key:"config_php" help:"add config.php itself, as site/config.php. It contains the password of the database, and whoever can read the snapshot can read it"`
	Without   []string `key:"without_plugins" help:"plugins that the backup does not contain: they are not listed, and their forced settings are left out" example:"[mod_scheduler]"`
}

const doc = `The documents are, below site/ in a snapshot:

- metadata.json: the site's address, versions and directories, and when and by what they were recorded;
- plugins.json: every plugin on disk with its version, whether it is an add-on, and the plugin that it belongs to;
- overrides.json: the settings that config.php forces. The backup has the values of those that also exist in the site's
  database, and a restore writes them there. The others are named with the reason why they are left out;
- config.php, only with config_php: true.

vault ls and vault cat show them. They contain passwords if config.php forces a setting that is one,
such as smtppass. A restore does not write the documents.

The settings of the site's database are read in a session of their own. A config.php that cannot be
evaluated is an error; code that cannot be read is noted, and plugins.json is left out.`

// Stage is the registered source.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "site",
			Role:    stage.RoleSource,
			Summary: "Describes a Moodle site: versions, plugins and the settings that config.php forces.",
			Doc:     doc,
			Parts:   []string{stage.Site},
			Config:  func() any { return &Config{} },
		},
		NewSource: stage.Typed(func(_ context.Context, c *Config, env stage.Env) (stage.Source, error) {
			return &source{config: c, version: env.Version}, nil
		}),
	}
}
