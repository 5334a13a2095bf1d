package moodle

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/site"
)

// siteSettings locate the site that is replaced.
type siteSettings struct {
	site.Settings
	Only []string `key:"parts" help:"parts of the site to restore: db, filedir, dataroot; default: all. To change the engine, restore db only" example:"[db]"`
}

// target is the site that is replaced, and what the concerns have added so far.
type target struct {
	stage.Expansion
	env      stage.ExpandEnv
	config   *siteconfig.Site
	dataroot string
	database database.Address
	plugin   map[string]string // settings of tool_vault; nil until they are read
	// Whether the target's database has tool_vault, and its tables, once that is read.
	hasVault    bool
	vaultTables []string
	preserved
}

// target reads config.php.
func (c *siteSettings) target(ctx context.Context, env stage.ExpandEnv) (*target, error) {
	read, err := siteconfig.Read(ctx, c.Dir, siteconfig.Options{Env: env.Lookup, Address: c.Address, Given: c.Settings.Settings})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, config.At("dir", "%s has no config.php; set dir to the directory with the site's code", c.Dir)
	}
	if err != nil {
		return nil, err
	}
	t := &target{env: env, config: read}
	t.dataroot, err = read.DataRoot()
	if c.Database != nil {
		t.database = *c.Database
		return t, err
	}
	there, bad := read.Database()
	if err := errors.Join(err, bad); err != nil {
		return nil, err
	}
	t.database = database.FromConfig(there)
	return t, nil
}

// filedir returns the directory of the file pool.
func (t *target) filedir() string { return filepath.Join(t.dataroot, "filedir") }

// restorable lists the parts that the sink holds.
var restorable = []string{stage.DB, stage.Filedir, stage.Dataroot}

// check checks the names of parts.
func (c *siteSettings) check() error {
	if c.Only != nil && len(c.Only) == 0 {
		return config.At("parts", "parts is an empty list; remove it to restore everything")
	}
	for _, part := range c.Only {
		if !slices.Contains(restorable, part) {
			return config.At("parts", "parts must list some of %s", strings.Join(restorable, ", "))
		}
	}
	return nil
}

// restores reports whether a part is restored.
func (c *siteSettings) restores(part string) bool {
	return c.Only == nil || slices.Contains(c.Only, part)
}

// dirs returns the directories that are restored.
func (c *siteSettings) dirs(t *target) []string {
	var dirs []string
	if c.restores(stage.Filedir) {
		dirs = append(dirs, t.filedir())
	}
	if c.restores(stage.Dataroot) {
		dirs = append(dirs, t.dataroot)
	}
	return dirs
}

// onSite returns an action on the target. Its stage embeds site.Settings. The caller may
// add settings.
func (c *siteSettings) onSite(use string) stage.Part {
	return stage.Part{Name: use, Use: use, Settings: c.Values()}
}

// onDatabase returns an action that reads or changes the target's database. It gets the
// address of the database, because config.php may take it from an environment that the
// action's process does not have.
func (c *siteSettings) onDatabase(t *target, use string) stage.Part {
	part := c.onSite(use)
	part.Settings["database"] = t.database.Action("", "").Settings
	return part
}

// planned adds an action that runs once the plan is known.
func (t *target) planned(part stage.Part) {
	part.When = string(stage.MomentPlanned)
	t.Before = append(t.Before, part)
}
