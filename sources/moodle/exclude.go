package moodle

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// excludeSettings say what of the site is left out. A list that is not set is nil: the
// setting of tool_vault in the site is its default.
type excludeSettings struct {
	Exclude exclude  `key:"exclude" help:"what to leave out of the backup"`
	Include []string `key:"include" help:"directories of the data root that are left out unless they are listed here: muc, antivirus_quarantine" example:"[muc]"`
}

// exclude names what is left out.
type exclude struct {
	Plugins       []string `key:"plugins" help:"plugins to leave out: their own tables, and their rows in tables of Moodle (default: the setting backupexcludeplugins of tool_vault in the site)" example:"[mod_scheduler, local_reports]"`
	Tables        []string `key:"tables" help:"tables to leave out, with or without the prefix; * stands for any characters (default: the setting backupexcludetables of tool_vault in the site)" example:"[local_old_*]"`
	StructureOnly []string `key:"structure_only" help:"tables to back up without their rows, named as in tables" example:"[logstore_standard_log]"`
	Dataroot      []string `key:"dataroot" help:"paths below the data root to leave out; * stands for any characters except a slash (default: the setting backupexcludedataroot of tool_vault in the site)" example:"[repository/archive]"`
}

var pluginName = regexp.MustCompile(`^[a-z][a-z0-9]*_[a-z][a-z0-9_]*$`)

// check checks everything that can be checked without a site.
func (c *excludeSettings) check() error {
	var errs []error
	each := func(key string, list []string, check func(item string) error) {
		for i, item := range list {
			if err := check(item); err != nil {
				key := fmt.Sprintf("%s[%d]", key, i)
				errs = append(errs, config.At(key, "%s %w", key, err))
			}
		}
	}
	each("exclude.plugins", c.Exclude.Plugins, checkPlugin)
	each("exclude.tables", c.Exclude.Tables, selection.CheckTables)
	each("exclude.structure_only", c.Exclude.StructureOnly, selection.CheckTables)
	each("exclude.dataroot", c.Exclude.Dataroot, func(path string) error {
		return selection.CheckFiles(stage.Dataroot + "/" + path)
	})
	each("include", c.Include, func(name string) error {
		if !moodle.Optional(name) {
			return errors.New("must be muc or antivirus_quarantine")
		}
		return nil
	})
	return errors.Join(errs...)
}

func checkPlugin(name string) error {
	if !pluginName.MatchString(name) {
		return errors.New("must be the full name of a plugin, such as mod_scheduler")
	}
	return nil
}

// withoutRows lists tables whose rows are of no use to another site, or harm it.
var withoutRows = []string{
	"sessions",     // users who are logged in
	"mnet_session", // users who are logged in from other sites
	"cache_flags",  // a cache; the flags concern the sessions
	"lock_db",      // locks of processes that run now, which would block the restored site
}

// The plugin tool_vault belongs to its site: its settings decide whether that may be
// replaced.
const toolVault = "tool_vault"

// always leaves out what never travels.
func (o *origin) always() {
	o.standing = selection.Selection{StructureOnly: slices.Clone(withoutRows), ExcludeTables: []string{toolVault + "_*"}}
	if o.has("config_plugins", "plugin") {
		o.standing.Rows = []selection.Rows{{Table: "config_plugins", Except: &selection.Condition{Column: "plugin", In: []string{toolVault}}}}
	}
}

// chosenTables adds what the pipeline or tool_vault says about tables.
func (o *origin) chosenTables(e exclude) {
	tables := e.Tables
	if tables == nil {
		tables = o.listed("backupexcludetables", "exclude.tables", selection.CheckTables)
	}
	for _, pattern := range tables {
		o.selection.ExcludeTables = append(o.selection.ExcludeTables, o.unprefixed(pattern))
	}
	for _, pattern := range e.StructureOnly {
		o.selection.StructureOnly = append(o.selection.StructureOnly, o.unprefixed(pattern))
	}
}

// unprefixed returns the pattern of a table's name as stages take it.
func (o *origin) unprefixed(pattern string) string {
	if rest := strings.TrimPrefix(pattern, o.address.Prefix); rest != "" {
		return rest
	}
	return pattern
}

// chosenFiles adds what the pipeline or tool_vault says about the data root, and returns the
// directories to include.
func (o *origin) chosenFiles(c *excludeSettings) (include []string) {
	const setting = "backupexcludedataroot"
	paths, include := c.Exclude.Dataroot, c.Include
	if _, set := o.plugin[setting]; set && paths == nil {
		paths = o.listed(setting, "exclude.dataroot", func(path string) error { return selection.CheckFiles(stage.Dataroot + "/" + path) })
		for _, x := range moodle.DataRootExclusions {
			if c.Include == nil && x.Optional && !slices.Contains(paths, x.Name) {
				include = append(include, x.Name)
				o.note("%s of tool_vault does not list %s, which is therefore backed up; set include: [] to leave it out", setting, x.Name)
			}
		}
	}
	for _, path := range paths {
		if _, out := moodle.Excluded(path, include); !out || strings.Contains(path, "/") {
			o.selection.ExcludeFiles = append(o.selection.ExcludeFiles, stage.Dataroot+"/"+path)
		}
	}
	return include
}
