package moodle

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/stage"
)

// toolVault is the plugin whose settings in the target are defaults.
const toolVault = "tool_vault"

// wanted returns whether something is done: as a setting of the sink says, or with ask as a
// setting of tool_vault in the target does.
func (t *target) wanted(ctx context.Context, setting, inPlugin string) (bool, error) {
	if setting != ask {
		return setting == yes, nil
	}
	settings, err := t.pluginSettings(ctx)
	return settings[inPlugin] == "1", err
}

// pluginSettings returns the settings of tool_vault in the target: those that config.php
// forces and, if the target may be asked, those of its database. There are none in a target
// without a site.
func (t *target) pluginSettings(ctx context.Context) (map[string]string, error) {
	if t.plugin != nil {
		return t.plugin, nil
	}
	all := map[string]string{}
	if t.env.Online {
		stored, err := t.storedSettings(ctx)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, stored)
	}
	for _, s := range t.config.Forced().Plugins {
		if text, ok := s.Text(); ok && s.Plugin == toolVault {
			all[s.Name] = text
		}
	}
	t.plugin = all
	return all, nil
}

// storedSettings reads the target's database.
func (t *target) storedSettings(ctx context.Context) (settings map[string]string, err error) {
	d, err := t.database.Open(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a new SQLite database
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close(context.WithoutCancel(ctx))) }()
	table, err := d.Table(ctx, "config_plugins")
	if err != nil || table == nil {
		return nil, err
	}
	tables, err := d.Tables(ctx)
	if err != nil {
		return nil, err
	}
	for i := range tables {
		if strings.HasPrefix(tables[i].Name, toolVault+"_") {
			t.vaultTables = append(t.vaultTables, tables[i].Name)
		}
	}
	settings, err = d.Settings(ctx, toolVault)
	_, t.hasVault = settings["version"]
	return settings, err
}

// keepToolVault keeps the plugin in a target that has it, as it keeps itself: without its
// tables and settings Moodle would ask for an upgrade to install it.
func (t *target) keepToolVault() {
	p := &t.preserved
	if !t.hasVault || slices.Contains(p.plugins, toolVault) {
		return
	}
	p.plugins = append(slices.Clone(p.plugins), toolVault)
	p.paths[stage.DB] = append(p.paths[stage.DB], t.vaultTables...)
}
