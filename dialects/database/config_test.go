package database_test

import (
	"reflect"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/dialects/database"
)

// A composite gives its parts the settings that the stages of the engine take.
func TestConfigBecomesSettingsOfStages(t *testing.T) {
	server := siteconfig.Database{Host: "db", Port: 3306, Name: "moodle", User: "web", Password: config.NewSecret("secret"), Prefix: "m_"}
	of := func(change func(d *siteconfig.Database)) siteconfig.Database {
		d := server
		change(&d)
		return d
	}
	for name, c := range map[string]struct {
		config siteconfig.Database
		want   map[string]any
	}{
		"mysql":    {of(func(d *siteconfig.Database) { d.Engine = siteconfig.MySQL }), map[string]any{"prefix": "m_", "dsn": "web:secret@tcp(db:3306)/moodle"}},
		"postgres": {of(func(d *siteconfig.Database) { d.Engine, d.Schema = siteconfig.Postgres, "site" }), map[string]any{"prefix": "m_", "schema": "site", "dsn": "postgres://web:secret@db:3306/moodle"}},
		"sqlite":   {siteconfig.Database{Engine: siteconfig.SQLite, Path: "/srv/site.sqlite"}, map[string]any{"prefix": "", "path": "/srv/site.sqlite"}},
	} {
		t.Run(name, func(t *testing.T) {
			address := database.FromConfig(c.config)
			if err := address.Validate(); err != nil {
				t.Error(err)
			}
			part := address.Part("database")
			if part.Use != name || part.Name != "database" || !reflect.DeepEqual(revealed(part.Settings), c.want) {
				t.Errorf("the part is %s %s with %v, want %v", part.Name, part.Use, revealed(part.Settings), c.want)
			}
			c.want["engine"] = name
			if action := address.Action("check", "check-it"); action.Use != "check-it" || !reflect.DeepEqual(revealed(action.Settings), c.want) {
				t.Errorf("the action is %s with %v, want %v", action.Use, revealed(action.Settings), c.want)
			}
		})
	}
}

// revealed returns settings with secrets in clear text.
func revealed(settings map[string]any) map[string]any {
	all := map[string]any{}
	for key, value := range settings {
		if secret, ok := value.(config.Secret); ok {
			value = secret.Reveal()
		}
		all[key] = value
	}
	return all
}

// An address becomes what config.php has to say, and the same address again.
func TestAddressBecomesConfigAndBack(t *testing.T) {
	secret := config.NewSecret("p@ss:/'")
	for name, c := range map[string]struct {
		product string
		want    siteconfig.Database
	}{
		"MariaDB":           {"MariaDB 10.11.19", siteconfig.Database{Engine: siteconfig.MySQL, Type: "mariadb", Host: "db", Port: 3307, Name: "moodle", User: "web", Password: secret, Prefix: "m_", TLS: "require"}},
		"MySQL socket":      {"MySQL 8.4.0", siteconfig.Database{Engine: siteconfig.MySQL, Type: "mysqli", Socket: "/run/m.sock", Port: 3306, Name: "moodle", User: "web"}},
		"PostgreSQL":        {"PostgreSQL 15", siteconfig.Database{Engine: siteconfig.Postgres, Type: "pgsql", Host: "db", Port: 5433, Name: "moodle", User: "web", Password: secret, Schema: "site", TLS: "require"}},
		"PostgreSQL socket": {"PostgreSQL 15", siteconfig.Database{Engine: siteconfig.Postgres, Type: "pgsql", Socket: "/run/postgresql", Port: 5432, Name: "moodle", User: "web"}},
		"SQLite":            {"SQLite", siteconfig.Database{Engine: siteconfig.SQLite, Type: "sqlite3", Path: "/srv/site.sqlite", Prefix: "mdl_"}},
	} {
		t.Run(name, func(t *testing.T) {
			address := database.FromConfig(c.want)
			got, err := address.ToConfig(c.product)
			if err != nil || got != c.want {
				t.Errorf("got %+v (%v), want %+v", got, err, c.want)
			}
		})
	}
	localhost := database.Address{Engine: "mysql", DSN: config.NewSecret("web@tcp(localhost:3306)/moodle")}
	if got, err := localhost.ToConfig("MySQL 8.4.0"); err != nil || got.Host != "127.0.0.1" {
		t.Errorf("localhost, which PHP reaches by a socket, is %q (%v)", got.Host, err)
	}
}
