// Package site opens a live Moodle site by its config.php, for stages and commands that
// work on it: its database, data root, code and installed versions.
package site

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/dialects/database"
)

// Settings say which site. Stages embed them.
type Settings struct {
	Dir      string                   `key:"dir" required:"true" help:"the site's code: the directory with config.php" example:"/var/www/moodle"`
	Address  string                   `key:"address" help:"the site's address; needed if config.php serves several sites and decides by the host name" example:"https://moodle.example.org"`
	Settings map[string]config.Secret `key:"settings" help:"settings that replace those of config.php, for what it takes from elsewhere" example:"{dbpass: \"${env:MOODLE_DBPASS}\"}"`
	Database *database.Address        `key:"database" help:"the site's database, instead of that of config.php"`
}

// Site is what config.php says. It does not change and is safe for concurrent use.
type Site struct {
	*siteconfig.Site
	// Env lists the environment variables that config.php has read and that are set, by
	// name.
	Env      []string
	database *database.Address // nil for that of config.php
}

// Read evaluates config.php with the environment of this process.
func (s *Settings) Read(ctx context.Context) (*Site, error) {
	read := map[string]bool{}
	lookup := func(name string) (string, bool) {
		value, ok := os.LookupEnv(name)
		if ok {
			read[name] = true
		}
		return value, ok
	}
	site, err := siteconfig.Read(ctx, s.Dir, siteconfig.Options{Env: lookup, Address: s.Address, Given: s.Settings})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, config.At("dir", "%s has no config.php; set dir to the directory with the site's code", s.Dir)
	}
	if err != nil {
		return nil, err
	}
	return &Site{Site: site, Env: slices.Sorted(maps.Keys(read)), database: s.Database}, nil
}

// Address returns where the site's database is.
func (s *Site) Address() (database.Address, error) {
	if s.database != nil {
		return *s.database, nil
	}
	there, err := s.Site.Database()
	if err != nil {
		return database.Address{}, err
	}
	return database.FromConfig(there), nil
}

// Open connects to the site's database. The caller closes it.
func (s *Site) Open(ctx context.Context) (*database.Database, error) {
	address, err := s.Address()
	if err != nil {
		return nil, err
	}
	return address.Open(ctx)
}

// Elsewhere reports whether Settings.Database is another database than that of config.php,
// which the site's own programs use.
func (s *Site) Elsewhere(ctx context.Context) (elsewhere bool, err error) {
	if s.database == nil {
		return false, nil
	}
	there, err := s.Site.Database()
	if err != nil {
		return false, err
	}
	own := database.FromConfig(there)
	var places [2]string
	for i, a := range []*database.Address{&own, s.database} {
		d, err := a.Open(ctx)
		if err != nil {
			return false, err
		}
		place, err := d.Location(ctx)
		if err := errors.Join(err, d.Close(ctx)); err != nil {
			return false, err
		}
		places[i] = a.Engine + " " + a.Schema + " " + a.Prefix + " " + place
	}
	return places[0] != places[1], nil
}

// Directory returns an absolute directory that config.php sets, such as cachedir, or a
// directory of the data root if it does not.
func (s *Site) Directory(setting, below string) (string, error) {
	if set, ok := s.Forced().CoreSetting(setting); ok {
		text, known := set.Text()
		if !known {
			return "", fmt.Errorf("%s: %s is not known", set.Pos, setting)
		}
		if filepath.IsAbs(text) {
			return filepath.Clean(text), nil
		}
	}
	root, err := s.DataRoot()
	return filepath.Join(root, below), err
}

// Code reads the site's code.
func (s *Site) Code(ctx context.Context) (*component.Code, error) {
	return component.Load(ctx, s.Dir, CodeOptions(s.Site))
}

// CodeOptions returns what config.php says about the places of code.
func CodeOptions(s *siteconfig.Site) component.Options {
	var o component.Options
	if set, ok := s.Forced().CoreSetting("admin"); ok {
		o.Admin, _ = set.Text()
	}
	if set, ok := s.Forced().CoreSetting("themedir"); ok {
		o.ThemeDir, _ = set.Text()
	}
	return o
}

// Installed returns the versions in a site's database, by component, and the release of
// Moodle. There are none if it has no setting version.
func Installed(ctx context.Context, d *database.Database) (versions map[string]component.Version, release string, err error) {
	one := func(name string) string {
		if err != nil {
			return ""
		}
		var value database.Text
		value, err = d.First(ctx, "SELECT value FROM {config} WHERE name = ?", name)
		return value.String
	}
	core := one("version")
	release = one("release")
	if err != nil {
		return nil, "", err
	}
	rows, err := d.Query(ctx, "SELECT plugin, value FROM {config_plugins} WHERE name = ?", "version")
	if err != nil {
		return nil, "", err
	}
	plugins := map[string]string{}
	for _, r := range rows {
		plugins[r[0].String] = r[1].String
	}
	return component.Installed(core, plugins), release, nil
}

// On returns the settings of the site that the configuration of a stage embeds, or nil.
func On(config any) *Settings {
	if c, ok := config.(interface{ settings() *Settings }); ok {
		return c.settings()
	}
	return nil
}

// Values returns the settings for a stage.Part of a stage that embeds Settings. The caller
// may add settings.
func (s *Settings) Values() map[string]any {
	values := map[string]any{"dir": s.Dir}
	if s.Address != "" {
		values["address"] = s.Address
	}
	if len(s.Settings) > 0 {
		values["settings"] = s.Settings
	}
	if s.Database != nil {
		values["database"] = s.Database.Action("", "").Settings
	}
	return values
}

func (s *Settings) settings() *Settings { return s }
