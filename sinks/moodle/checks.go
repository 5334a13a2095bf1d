package moodle

import "context"

// checkSettings say how the backup and the target are compared.
type checkSettings struct {
	AllowMissing string   `key:"allow_missing_plugins" default:"auto" oneof:"auto true false" help:"restore although the code of plugins is missing in the target: true, false, or auto: as the setting allowrestorewithmissing of the target's plugin tool_vault, else false"`
	SkipChecks   []string `key:"skip_checks" help:"IDs of checks before the restore to leave out" example:"[restore-disk-space]"`
}

// checks adds the action that compares the backup with the target.
func (c *Config) checks(ctx context.Context, t *target) error {
	allowed, err := t.wanted(ctx, c.AllowMissing, "allowrestorewithmissing")
	if err != nil {
		return err
	}
	part := c.onDatabase(t, "check-restore")
	s := part.Settings
	s["replace"], s["allow_missing_plugins"] = c.Replace, allowed
	if dirs := c.dirs(t); len(dirs) > 0 {
		s["dirs"] = dirs
	}
	if c.Collation != "" {
		s["collation"] = c.Collation
	}
	if len(t.plugins) > 0 {
		s["preserved_plugins"] = t.plugins
	}
	if len(c.SkipChecks) > 0 {
		s["skip"] = c.SkipChecks
	}
	t.planned(part)
	return nil
}
