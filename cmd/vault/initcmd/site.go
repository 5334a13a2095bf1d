package initcmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/dialects/database"
)

// site is what is known of the site.
type site struct {
	config   *siteconfig.Site
	dir      string // of the code, absolute
	wwwroot  string
	dataroot string
	database siteconfig.Database
	// settings are those that config.php takes from elsewhere, as the pipelines name them.
	settings map[string]string
	// Known once the database is connected.
	product, name string
	tables        int
	rows          int64
}

// secret reports whether a setting must not stand in a file.
func secret(name string) bool { return name == "dbpass" }

// find reads the site's config.php. It asks on the terminal for what is not known.
func find(ctx context.Context, a *cli.App, o Options) (*site, error) {
	s := &site{settings: maps.Clone(o.Settings)}
	if s.settings == nil {
		s.settings = map[string]string{}
	}
	var err error
	if s.dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, err
	}
	if _, err := siteconfig.Find(s.dir); err != nil {
		return nil, err
	}
	given := map[string]config.Secret{}
	for name, text := range s.settings {
		if secret(name) && !strings.HasPrefix(text, "${") {
			return nil, failure.New(failure.Usage, "%s would stand in the pipeline files and in the list of processes; give --setting %s='${env:%s}' or '${file:/path}'", name, name, variable(name))
		}
		if given[name], err = resolve(text); err != nil {
			return nil, failure.New(failure.Usage, "--setting %s: %w", name, err)
		}
		a.Hide(given[name])
	}
	for {
		err := s.read(ctx, given, o.Address)
		if err == nil {
			return s, nil
		}
		var unknown *siteconfig.UnknownError
		if !errors.As(err, &unknown) {
			return nil, err
		}
		for _, name := range unknown.Settings {
			if _, twice := given[name]; twice {
				return nil, err
			}
			value, askErr := ask(ctx, a, name, unknown)
			if askErr != nil {
				return nil, errors.Join(err, askErr)
			}
			given[name] = value
			if s.settings[name] = value.Reveal(); secret(name) {
				s.settings[name] = "${env:" + variable(name) + "}"
			}
		}
	}
}

// variable is the environment variable of a secret setting in the pipelines.
func variable(name string) string { return "MOODLE_" + strings.ToUpper(name) }

// ask asks for a setting that config.php takes from elsewhere.
func ask(ctx context.Context, a *cli.App, name string, why *siteconfig.UnknownError) (config.Secret, error) {
	if secret(name) {
		if value, ok := config.SecretVariable(variable(name)); ok {
			return a.Hide(value), nil
		}
	}
	value, err := a.AskText(ctx, fmt.Sprintf("%v\n%s: ", why, name))
	if err != nil {
		return config.Secret{}, fmt.Errorf("give --setting %s=VALUE: %w", name, err)
	}
	return a.Hide(config.NewSecret(value)), nil
}

// resolve returns the value of --setting, in which references of pipelines are allowed.
func resolve(text string) (config.Secret, error) {
	if name, ok := reference(text, "env"); ok {
		value, set := os.LookupEnv(name)
		if !set {
			return config.Secret{}, fmt.Errorf("the environment variable %s is not set", name)
		}
		return config.NewSecret(value), nil
	}
	if path, ok := reference(text, "file"); ok {
		content, err := os.ReadFile(path)
		return config.NewSecret(strings.TrimSuffix(string(content), "\n")), err
	}
	return config.NewSecret(text), nil
}

func reference(text, kind string) (string, bool) {
	inner, ok := strings.CutPrefix(text, "${"+kind+":")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(inner, "}")
}

func (s *site) read(ctx context.Context, given map[string]config.Secret, address string) error {
	var err error
	if s.config, err = siteconfig.Read(ctx, s.dir, siteconfig.Options{Env: os.LookupEnv, Address: address, Given: given}); err != nil {
		return err
	}
	var dbErr, rootErr, wwwErr error
	s.database, dbErr = s.config.Database()
	s.dataroot, rootErr = s.config.DataRoot()
	s.wwwroot, wwwErr = s.config.WWWRoot()
	return errors.Join(dbErr, rootErr, wwwErr)
}

// connect asks the database which site it holds.
func (s *site) connect(ctx context.Context) (err error) {
	address := database.FromConfig(s.database)
	d, err := address.Open(ctx)
	if err != nil {
		return fmt.Errorf("%w; check that the database runs and that this machine may connect, or give --offline", err)
	}
	defer func() { err = errors.Join(err, d.Close(context.WithoutCancel(ctx))) }()
	found, err := d.Site(ctx)
	if err != nil {
		return err
	}
	tables, err := d.Tables(ctx)
	if err != nil {
		return err
	}
	s.product, s.name, s.tables = d.Product(), found.Name, len(tables)
	if !slices.ContainsFunc(tables, func(t database.Table) bool { return t.Name == "config" }) {
		return failure.New(failure.Refused, "%s has no table %sconfig: no Moodle site is installed there with the prefix of config.php", d.Address(), d.Prefix())
	}
	for _, t := range tables {
		s.rows += t.Rows
	}
	return nil
}

// look checks that the data root can be read.
func (s *site) look() error {
	for _, dir := range []string{s.dataroot, filepath.Join(s.dataroot, "filedir")} {
		f, err := os.Open(dir)
		if err != nil {
			return failure.New(failure.Refused, "the site's data root can't be read: %w; run vault as a user who can, such as the web server's, or check that it is mounted", err)
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// host returns the host of the site's address, for the name of a directory.
func (s *site) host() string {
	u, err := url.Parse(s.wwwroot)
	if err != nil || u.Hostname() == "" {
		return "moodle"
	}
	return u.Hostname()
}
