package moodle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// preserveSettings say what of the old site stays.
type preserveSettings struct {
	Preserve          []string `key:"preserve" help:"what to keep of the site in the target, as paths in a snapshot: tables, where * stands for any characters, and paths of files; default: the paths in the setting restorepreservedataroot of the target's plugin tool_vault" example:"[db/local_school_*, dataroot/repository/shared]"`
	PreservePlugins   []string `key:"preserve_plugins" help:"plugins that the target keeps as they are: their tables and settings, see the transform preserve; default: as the setting restorepreserveplugins of the target's plugin tool_vault" example:"[mod_attendance, block_checklist]"`
	PreservePasswords string   `key:"preserve_passwords" default:"auto" oneof:"auto true false" help:"keep the passwords of users who log in with a password on both sides: true, false, or auto: as the setting restorepreservepasswords of the target's plugin tool_vault, else false"`
}

// check checks the paths and the names of plugins.
func (c *preserveSettings) check() error {
	var errs []error
	for i, path := range c.Preserve {
		part, rest, _ := strings.Cut(path, "/")
		if rest == "" || part != stage.DB && part != stage.Filedir && part != stage.Dataroot {
			key := fmt.Sprintf("preserve[%d]", i)
			errs = append(errs, config.At(key, "%s must be db/TABLE, dataroot/PATH or filedir/PATH", key))
		}
	}
	for i, plugin := range c.PreservePlugins {
		if kind, name, ok := strings.Cut(plugin, "_"); !ok || kind == "" || name == "" {
			key := fmt.Sprintf("preserve_plugins[%d]", i)
			errs = append(errs, config.At(key, "%s must be a plugin with its type, such as mod_attendance", key))
		}
	}
	return errors.Join(errs...)
}

// preserved is what of the target stays.
type preserved struct {
	paths     map[string][]string // by part, as the sinks take them
	plugins   []string
	tables    []string // of the plugins; they are in paths, too
	passwords bool
}

// described lists what stays, for a person.
func (p *preserved) described() []string {
	var all []string
	for _, part := range []string{stage.DB, stage.Dataroot} {
		for _, path := range p.paths[part] {
			if part != stage.DB || !slices.Contains(p.tables, path) {
				all = append(all, part+"/"+path)
			}
		}
	}
	all = append(all, p.plugins...)
	if p.passwords {
		all = append(all, "passwords")
	}
	return all
}

// keep determines what stays, as the settings say, or those of tool_vault in the target.
func (c *Config) keep(ctx context.Context, t *target) error {
	p := &t.preserved
	p.paths = map[string][]string{}
	p.plugins = c.PreservePlugins
	for _, path := range c.Preserve {
		part, rest, _ := strings.Cut(path, "/")
		p.paths[part] = append(p.paths[part], rest)
	}
	settings, err := t.pluginSettings(ctx)
	if err != nil {
		return err
	}
	if len(c.Preserve) == 0 {
		p.paths[stage.Dataroot] = listed(settings["restorepreservedataroot"])
	}
	if len(p.plugins) == 0 {
		p.plugins = listed(settings["restorepreserveplugins"])
	}
	if p.passwords, err = t.wanted(ctx, c.PreservePasswords, "restorepreservepasswords"); err != nil {
		return err
	}
	defer t.keepToolVault()
	if len(p.plugins) == 0 {
		return nil
	}
	if p.tables, err = t.pluginTables(ctx); err != nil {
		return fmt.Errorf("preserve_plugins: %w", err)
	}
	p.paths[stage.DB] = append(p.paths[stage.DB], p.tables...)
	contents, err := t.pluginContents(ctx)
	if err != nil {
		return fmt.Errorf("preserve_plugins: %w", err)
	}
	p.paths[stage.Filedir] = append(p.paths[stage.Filedir], contents...)
	return nil
}

// listed splits a setting of tool_vault.
func listed(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' || r == ' ' })
}

// preserve adds the transform that keeps rows of plugins and passwords. The plugins' own
// tables are not restored.
func (c *Config) preserve(_ context.Context, t *target) error {
	p := &t.preserved
	if len(p.plugins) == 0 && !p.passwords {
		return nil
	}
	part := t.database.Action("preserve", "preserve")
	part.Settings["passwords"] = p.passwords
	if len(p.plugins) > 0 {
		part.Settings["plugins"] = p.plugins
	}
	t.Transforms = append(t.Transforms, part)
	t.Selection.ExcludeTables = append(t.Selection.ExcludeTables, p.tables...)
	return nil
}
