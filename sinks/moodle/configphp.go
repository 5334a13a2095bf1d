package moodle

import (
	"context"
	"path/filepath"

	"github.com/lmsvault/vault/core/config"
)

// configSettings say whether config.php is rewritten.
type configSettings struct {
	WriteConfig config.Literal `key:"write_config" help:"with database: after the restore, make config.php name that database: true for the site's own file, of which a copy is kept, or the path of the file to write" example:"true"`
}

// check checks the path.
func (c *configSettings) check(s *siteSettings) error {
	switch path := c.WriteConfig.Text; {
	case !c.writes():
	case s.Database == nil:
		return config.At("write_config", "write_config needs the setting database, which names the database to write; otherwise config.php stays as it is")
	case path != yes && !filepath.IsAbs(path):
		return config.At("write_config", "write_config must be true, false or an absolute path")
	}
	return nil
}

func (c *configSettings) writes() bool { return c.WriteConfig.Given && c.WriteConfig.Text != "false" }

// configPHP adds the action that rewrites config.php. It precedes Moodle's upgrade, which reads
// the file.
func (c *Config) configPHP(_ context.Context, t *target) error {
	if !c.writes() {
		return nil
	}
	part := c.onSite("write-config")
	if path := c.WriteConfig.Text; path != yes {
		part.Settings["path"] = path
	}
	t.After = append(t.After, part)
	return nil
}
