package database_test

import (
	"reflect"
	"testing"

	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/internal/servers"
)

// Settings are told apart by the exact bytes of their names on every engine.
func TestSettingsAreReadOnEveryEngine(t *testing.T) {
	for name, address := range map[string]func(t *testing.T) database.Address{
		"MariaDB":    func(t *testing.T) database.Address { return at("mysql", servers.MariaDB(t).DSN) },
		"PostgreSQL": func(t *testing.T) database.Address { return at("postgres", servers.Postgres(t).DSN) },
		"SQLite":     sqliteFile,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, a := t.Context(), address(t)
			d, err := a.Open(ctx)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := d.Close(ctx); err != nil {
					t.Error(err)
				}
			})
			for _, statement := range []string{
				"CREATE TABLE {config} (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, value TEXT)",
				"CREATE TABLE {config_plugins} (id BIGINT NOT NULL PRIMARY KEY, plugin VARCHAR(100) NOT NULL, name VARCHAR(100) NOT NULL, value TEXT)",
				"INSERT INTO {config} (id, name, value) VALUES (1, 'theme', 'boost'), (2, 'empty', NULL)",
				"INSERT INTO {config_plugins} (id, plugin, name, value) VALUES (1, 'tool_vault', 'allowrestore', '1'), (2, 'TOOL_VAULT', 'other', '2'), (3, 'quiz', 'theme', '3')",
			} {
				if _, err := d.Exec(ctx, statement); err != nil {
					t.Fatal(err)
				}
			}
			core, err := d.Settings(ctx, "")
			if want := map[string]string{"theme": "boost", "empty": ""}; err != nil || !reflect.DeepEqual(core, want) {
				t.Errorf("core has %v (%v), want %v", core, err, want)
			}
			plugin, err := d.Settings(ctx, "tool_vault")
			if want := map[string]string{"allowrestore": "1"}; err != nil || !reflect.DeepEqual(plugin, want) {
				t.Errorf("the plugin has %v (%v), want %v", plugin, err, want)
			}
			stored, err := d.StoredSettings(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if !stored("", "theme") || !stored("quiz", "theme") || stored("", "Theme") || stored("", "allowrestore") || stored("forum", "theme") {
				t.Error("the settings that the database has are not told apart")
			}
		})
	}
}
