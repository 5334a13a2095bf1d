package database

import (
	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/core/stage"
)

// FromConfig returns the address of the database that a site's config.php names.
func FromConfig(d siteconfig.Database) Address {
	return Address{Engine: string(d.Engine), DSN: d.DSN(), Path: d.Path, Prefix: d.Prefix, Schema: d.Schema}
}

// Part returns the part of a composite that reads or writes the tables, with the stage
// of the engine. The caller may add settings.
func (a *Address) Part(name string) stage.Part {
	return stage.Part{Name: name, Use: a.Engine, Settings: a.settings()}
}

// Action returns a part with a stage that embeds Address. The caller may add settings.
func (a *Address) Action(name, use string) stage.Part {
	settings := a.settings()
	settings["engine"] = a.Engine
	return stage.Part{Name: name, Use: use, Settings: settings}
}

// settings returns the settings that every stage of the engine has.
func (a *Address) settings() map[string]any {
	settings := map[string]any{"prefix": a.Prefix}
	if a.Path != "" {
		settings["path"] = a.Path
	}
	if !a.DSN.IsZero() {
		settings["dsn"] = a.DSN
	}
	if a.Schema != "" {
		settings["schema"] = a.Schema
	}
	return settings
}
