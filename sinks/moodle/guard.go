package moodle

import "context"

// guardSettings say which site may be replaced.
type guardSettings struct {
	AllowRestore bool   `key:"allow_restore" help:"replace the site although its own settings do not allow it; the same as --allow-restore"`
	ReplaceSite  string `key:"replace_site" open:"true" help:"the site identifier or address of the site to replace; needed if that is another site than the one of the backup" example:"https://staging.example.org"`
}

// guard adds the action that refuses to replace a site that does not allow it, or that is
// not meant.
func (c *Config) guard(_ context.Context, t *target) error {
	part := c.onDatabase(t, "restore-guard")
	if dirs := c.dirs(t); len(dirs) > 0 {
		part.Settings["dirs"] = dirs
	}
	part.Settings["allow_restore"] = c.AllowRestore || t.env.AllowRestore
	if c.ReplaceSite != "" {
		part.Settings["replace_site"] = c.ReplaceSite
	}
	if kept := t.preserved.described(); len(kept) > 0 {
		part.Settings["preserved"] = kept
	}
	t.planned(part)
	return nil
}
