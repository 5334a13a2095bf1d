// Package upgrade implements the action that runs Moodle's own upgrade of a site whose data
// is older than its code, or says how to run it.
package upgrade

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

// Config is the configuration of the action.
type Config struct {
	site.Settings
	Run     bool            `key:"run" help:"run the upgrade; without it, the action only says the command"`
	Via     []string        `key:"via" help:"directories with the code of releases in between, for data that is too old for the site's code" example:"[/code/moodle-4.1, /code/moodle-4.5]"`
	PHP     string          `key:"php" default:"php" help:"the program php" example:"/usr/bin/php8.3"`
	Timeout config.Duration `key:"timeout" default:"2h" min:"1s" max:"72h" help:"how long the upgrade by one code may take before it is ended"`
}

// Validate checks the directories.
func (c *Config) Validate() error {
	for i, dir := range c.Via {
		if !filepath.IsAbs(dir) {
			return config.At(fmt.Sprintf("via[%d]", i), "via must list absolute paths")
		}
	}
	if c.PHP == "" {
		return config.At("php", "php names no program")
	}
	return nil
}

// Stage returns the description of the action.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name: "upgrade", Role: stage.RoleAction, Summary: "Runs Moodle's upgrade of a site whose data is older than its code, or says how.",
			Doc:    doc,
			Config: func() any { return &Config{PHP: "php", Timeout: defaultTimeout} },
		},
		NewAction: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.Action, error) { return &action{config: c}, nil }),
	}
}

const doc = `It compares the versions in the database with those of the code. If Moodle needs an upgrade, the action says the
command for it; with run, it runs admin/cli/upgrade.php --non-interactive, which needs PHP on this machine, and verifies the
version in the database afterwards.

Moodle upgrades only from releases that are not too old. via names directories with the code of releases in
between, complete with the plugins that the site needs. The action runs the upgrade of each, oldest first, and that of the
site's own code last. Before it runs the first, it checks that each step is possible. While the upgrade of such a directory
runs, the directory has a config.php with the site's database, data root and address, which only its owner can read; the
action removes it afterwards. It refuses a directory that has a config.php already.

The upgrade is run as the owner of config.php, or if that is root, as the owner of the data root, so that the web server
can read what it writes. This needs root; otherwise it is run as the user who runs vault. The program gets few
environment variables: PATH, HOME, USER, LOGNAME, TZ, LANG, LC_ALL and those that config.php reads.

Listed under before with when: planned, it checks only whether the upgrade will be possible.`
