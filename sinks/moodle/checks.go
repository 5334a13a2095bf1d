package moodle

import "context"

// checkSettings say how the backup and the target are compared.
type checkSettings struct {
	AllowMissing bool     `key:"allow_missing_plugins" help:"restore although the code of plugins is missing in the target"`
	SkipChecks   []string `key:"skip_checks" help:"IDs of checks before the restore to leave out" example:"[restore-disk-space]"`
}

// checks adds the action that compares the backup with the target.
func (c *Config) checks(_ context.Context, t *target) error {
	part := c.onSite("check-restore")
	s := part.Settings
	s["replace"], s["allow_missing_plugins"] = c.Replace, c.AllowMissing
	if dirs := c.dirs(t); len(dirs) > 0 {
		s["dirs"] = dirs
	}
	if c.Collation != "" {
		s["collation"] = c.Collation
	}
	if len(c.SkipChecks) > 0 {
		s["skip"] = c.SkipChecks
	}
	t.planned(part)
	return nil
}
