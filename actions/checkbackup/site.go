package checkbackup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
)

// site is the site that is checked. Its parts are read once, when the first check needs
// them.
type site struct {
	*Config
	temp   string
	plan   *stage.Plan           // nil if the run is not planned
	chosen []selection.Selection // what the pipeline leaves out
	read   map[string]bool       // tables that the run reads; nil if that is unknown

	db       *database.Database
	dbErr    error
	settings map[string]string // table config
	exists   map[string]bool   // tables in the database
	code     *component.Code
	codeErr  error
	php      *siteconfig.Site
	phpErr   error
	trees    map[string]*tree
	found    *contents
}

// errNoCode is the reason why a check that needs the site's code can't be performed.
var errNoCode = errors.New("it needs the site's code; set dir to the directory with config.php")

func newSite(c *Config, temp string, plan *stage.Plan) (*site, error) {
	s := &site{Config: c, temp: temp, plan: plan, trees: map[string]*tree{}}
	if plan == nil {
		return s, nil
	}
	for _, t := range plan.Tables {
		if s.read == nil {
			s.read = map[string]bool{}
		}
		s.read[t.Schema.Name] = true
	}
	for _, text := range strings.Split(plan.Facts[stage.SelectionFact], "\n") {
		if text == "" {
			continue
		}
		var one selection.Selection
		if err := json.Unmarshal([]byte(text), &one); err != nil {
			return nil, fmt.Errorf("reading what the pipeline excludes: %w", err)
		}
		s.chosen = append(s.chosen, one)
	}
	return s, nil
}

func (s *site) close(ctx context.Context) error {
	if s.db == nil {
		return nil
	}
	return s.db.Close(ctx)
}

// excludesTable reports whether the run leaves out a table that exists, or one that the
// pipeline excludes.
func (s *site) excludesTable(name string) bool {
	if s.read != nil && !s.read[name] && s.exists[name] {
		return true
	}
	for i := range s.chosen {
		if _, out := s.chosen[i].ExcludesTable(name); out {
			return true
		}
	}
	return false
}

// excludesPath reports whether the pipeline excludes a path in a snapshot.
func (s *site) excludesPath(path string) bool {
	for i := range s.chosen {
		if _, out := s.chosen[i].ExcludesPath(path); out {
			return true
		}
	}
	return false
}

// open returns the session on the database.
func (s *site) open(ctx context.Context) (*database.Database, error) {
	if s.db != nil || s.dbErr != nil {
		return s.db, s.dbErr
	}
	if s.db, s.dbErr = s.Open(ctx); s.dbErr != nil {
		return nil, s.dbErr
	}
	tables, err := s.db.Tables(ctx)
	if err != nil {
		s.dbErr = errors.Join(err, s.db.Close(ctx))
		s.db = nil
		return nil, s.dbErr
	}
	s.exists = map[string]bool{}
	for _, t := range tables {
		s.exists[t.Name] = true
	}
	return s.db, nil
}

// has reports whether the database has a table with all these columns.
func (s *site) has(ctx context.Context, table string, columns ...string) (bool, error) {
	db, err := s.open(ctx)
	if err != nil {
		return false, err
	}
	t, err := db.Table(ctx, table)
	if err != nil || t == nil {
		return false, err
	}
	for _, name := range columns {
		if t.Column(name) == nil {
			return false, nil
		}
	}
	return true, nil
}

// setting returns a setting of Moodle's core from the database; "" if it is not set.
func (s *site) setting(ctx context.Context, name string) (string, error) {
	if s.settings == nil {
		ok, err := s.has(ctx, "config", "name", "value")
		if err != nil {
			return "", err
		}
		if !ok {
			return "", errors.New("the database has no table config of Moodle")
		}
		rows, err := s.db.Query(ctx, "SELECT name, value FROM {config}")
		if err != nil {
			return "", err
		}
		s.settings = map[string]string{}
		for _, row := range rows {
			s.settings[row[0].String] = row[1].String
		}
	}
	return s.settings[name], nil
}

// installed returns the versions of Moodle and its plugins in the database.
func (s *site) installed(ctx context.Context) (map[string]component.Version, error) {
	version, err := s.setting(ctx, "version")
	if err != nil {
		return nil, err
	}
	rows, err := s.db.Query(ctx, "SELECT plugin, value FROM {config_plugins} WHERE name = ?", "version")
	if err != nil {
		return nil, err
	}
	plugins := map[string]string{}
	for _, row := range rows {
		plugins[row[0].String] = row[1].String
	}
	return component.Installed(version, plugins), nil
}

// configuration returns the site's config.php.
func (s *site) configuration(ctx context.Context) (*siteconfig.Site, error) {
	if s.php == nil && s.phpErr == nil {
		if s.phpErr = errNoCode; s.Dir != "" {
			s.php, s.phpErr = siteconfig.Read(ctx, s.Dir, siteconfig.Options{Env: os.LookupEnv, Address: s.WWWRoot, Given: s.Config.Settings})
		}
	}
	return s.php, s.phpErr
}

// load returns the site's code.
func (s *site) load(ctx context.Context) (*component.Code, error) {
	if s.code != nil || s.codeErr != nil {
		return s.code, s.codeErr
	}
	if s.Dir == "" {
		s.codeErr = errNoCode
		return nil, s.codeErr
	}
	var o component.Options
	if php, err := s.configuration(ctx); err == nil { // without it, the usual directories are right on almost all sites
		forced := php.Forced()
		for name, to := range map[string]*string{"admin": &o.Admin, "themedir": &o.ThemeDir} {
			if setting, ok := forced.CoreSetting(name); ok {
				*to, _ = setting.Text()
			}
		}
	}
	s.code, s.codeErr = component.Load(ctx, s.Dir, o)
	return s.code, s.codeErr
}

// without reports whether the run does not read a part of the site.
func (s *site) without(part string) bool {
	return s.plan != nil && len(s.plan.Parts) > 0 && !slices.Contains(s.plan.Parts, part)
}

// pool returns the directory of the file pool, "" if it is not known.
func (s *site) pool() string {
	if s.Filedir == "" && s.DataRoot != "" {
		return filepath.Join(s.DataRoot, moodle.FiledirName)
	}
	return s.Filedir
}
