package moodle

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/internal/servers"
	"github.com/lmsvault/vault/sources/mysql"
	"github.com/lmsvault/vault/sources/postgres"
	"github.com/lmsvault/vault/sources/sqlite"
)

// engines are the databases that the sources of tables read.
var engines = map[string]struct {
	stage stage.Stage
	new   func(t *testing.T) database.Address
}{
	"MariaDB":    {mysql.Stage(), func(t *testing.T) database.Address { return at("mysql", servers.MariaDB(t).DSN) }},
	"PostgreSQL": {postgres.Stage(), func(t *testing.T) database.Address { return at("postgres", servers.Postgres(t).DSN) }},
	"SQLite": {sqlite.Stage(), func(t *testing.T) database.Address {
		path := filepath.Join(t.TempDir(), "site.sqlite")
		if err := os.WriteFile(path, nil, 0o600); err != nil { // an empty database
			t.Fatal(err)
		}
		return database.Address{Engine: "sqlite", Path: path, Prefix: "mdl_"}
	}},
}

func at(engine, dsn string) database.Address {
	return database.Address{Engine: engine, DSN: config.NewSecret(dsn), Prefix: "mdl_"}
}

// execute runs statements on a site's database.
func execute(t *testing.T, a database.Address, statements ...string) {
	t.Helper()
	d, err := a.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := d.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// planned returns the inventory of a source of tables.
func planned(t *testing.T, s stage.Stage, a database.Address, chosen selection.Selection) *stage.Inventory {
	t.Helper()
	cfg := s.Config()
	if err := config.AssignValues(a.Part("database").Settings, cfg); err != nil {
		t.Fatal(err)
	}
	source, err := s.NewSource(t.Context(), cfg, stage.Env{Workers: 1, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	inv, err := source.Plan(t.Context(), stage.PlanRequest{Selection: chosen})
	if err != nil {
		t.Fatal(err)
	}
	if err := source.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return inv
}

// factsOf returns those facts of an inventory that describe a Moodle site.
func factsOf(inv *stage.Inventory) map[string]string {
	facts := map[string]string{}
	for _, name := range []string{moodle.SiteFact, moodle.SiteNameFact, moodle.VersionFact, moodle.ReleaseFact, moodle.PluginsFact} {
		if value, ok := inv.Facts[name]; ok {
			facts[name] = value
		}
	}
	return facts
}

func TestTablesTellTheVersionsOfTheSite(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := e.new(t)
			execute(t, a,
				"CREATE TABLE {config} (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, value TEXT)",
				"CREATE TABLE {config_plugins} (id BIGINT NOT NULL PRIMARY KEY, plugin VARCHAR(100) NOT NULL, name VARCHAR(100) NOT NULL, value TEXT)",
				"CREATE TABLE {course} (id BIGINT NOT NULL PRIMARY KEY, category BIGINT NOT NULL, fullname VARCHAR(1333) NOT NULL)",
				"INSERT INTO {config} (id, name, value) VALUES (1, 'siteidentifier', 'abc'), (2, 'version', '2024100706.00'), (3, 'release', '4.5.6 (Build: 20250811)')",
				"INSERT INTO {config_plugins} (id, plugin, name, value) VALUES (1, 'mod_quiz', 'version', '2024100700'), (2, 'mod_quiz', 'x', '1'), (3, 'local_a', 'version', '5'), (4, 'local_b', 'version', NULL)",
				"INSERT INTO {course} (id, category, fullname) VALUES (1, 0, 'School')",
			)
			want := map[string]string{
				moodle.SiteFact: "abc", moodle.SiteNameFact: "School", moodle.VersionFact: "2024100706.00", moodle.ReleaseFact: "4.5.6 (Build: 20250811)",
				moodle.PluginsFact: `{"local_a":"5","local_b":"","mod_quiz":"2024100700"}`,
			}
			if got := factsOf(planned(t, e.stage, a, selection.Selection{})); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			// The snapshot doesn't have the plugins whose settings are left out.
			without := selection.Selection{Rows: []selection.Rows{{Table: "config_plugins", Except: &selection.Condition{Column: "plugin", In: []string{"local_a"}}}}}
			want[moodle.PluginsFact] = `{"local_b":"","mod_quiz":"2024100700"}`
			if got := factsOf(planned(t, e.stage, a, without)); !reflect.DeepEqual(got, want) {
				t.Errorf("without a plugin: got %q, want %q", got, want)
			}
		})
	}
}

func TestTablesOfOtherProgramsHaveNoVersions(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := e.new(t)
			execute(t, a,
				"CREATE TABLE {config} (name VARCHAR(255) NOT NULL PRIMARY KEY, value VARCHAR(255))",
				"CREATE TABLE {config_plugins} (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(100) NOT NULL, value TEXT)",
				"CREATE TABLE {course} (id BIGINT NOT NULL PRIMARY KEY, fullname BIGINT, category BIGINT)",
				"INSERT INTO {config} (name, value) VALUES ('version', '7'), ('siteidentifier', 'x')",
				"INSERT INTO {config_plugins} (id, name, value) VALUES (1, 'version', '7')",
			)
			if got := factsOf(planned(t, e.stage, a, selection.Selection{})); len(got) > 0 {
				t.Errorf("the facts are %q", got)
			}
		})
	}
}
