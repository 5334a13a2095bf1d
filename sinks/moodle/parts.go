package moodle

import (
	"context"

	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// partSettings are the settings of the sinks that the composite stands for.
type partSettings struct {
	Replace   string `key:"replace" default:"false" oneof:"false true in_place" help:"what to do if the target holds a site: false refuses to run; true builds the new site next to the old one and swaps them once the new one is proven; in_place removes the old site first, for a target without room for both"`
	Collation string `key:"collation" help:"on MySQL and MariaDB: collation of tables from another engine, such as utf8mb4_bin, which distinguishes case and accents like PostgreSQL (default: the database's)"`
	Owner     string `key:"owner" default:"user" oneof:"user keep" help:"owner of restored files: user for the user who runs Vault, keep for the original owner, which needs root"`
	Setuid    bool   `key:"keep_setuid" help:"restore the setuid and setgid bits of files even if the owner is not restored; such a file runs with the rights of the restoring user"`
}

// databasePart is the name of the sink of the database. The other sinks have the names of
// their stages.
const databasePart = "database"

// parts adds the sinks of the database, the file pool and the data root.
func (c *Config) parts(_ context.Context, t *target) error {
	kept := t.preserved.paths
	part := t.database.Part(databasePart)
	tables := part.Settings
	tables["replace"] = c.Replace
	if len(kept[stage.DB]) > 0 {
		tables["preserve"] = kept[stage.DB]
	}
	// The action restore-guard decides whether another site may be replaced.
	tables["replace_other_site"] = true
	if c.Collation != "" && t.database.Engine == "mysql" {
		tables["collation"] = c.Collation
	}
	if c.restores(stage.DB) {
		t.Parts = append(t.Parts, part)
	}
	if c.restores(stage.Filedir) {
		t.Parts = append(t.Parts, c.folder(t, "files", stage.Filedir, t.filedir()))
	}
	if c.restores(stage.Dataroot) {
		root := c.folder(t, "dataroot", stage.Dataroot, t.dataroot)
		root.Settings["stays_closed"] = true // see maintenance
		t.Parts = append(t.Parts, root)
	}
	t.Standing = selection.Selection{
		StructureOnly: []string{"sessions"},
		ExcludeTables: []string{"tool_vault_*"},
		Rows: []selection.Rows{
			{Table: "config_plugins", Except: &selection.Condition{Column: "plugin", In: []string{toolVault}}},
		},
	}
	return nil
}

// folder returns the sink of a part that consists of files.
func (c *Config) folder(t *target, use, part, dir string) stage.Part {
	settings := map[string]any{"dir": dir, "replace": c.Replace, "owner": c.Owner, "keep_setuid": c.Setuid}
	if kept := t.preserved.paths[part]; len(kept) > 0 {
		settings["preserve"] = kept
	}
	return stage.Part{Name: use, Use: use, Settings: settings}
}
