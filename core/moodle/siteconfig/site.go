package siteconfig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle/php"
)

// Site holds the contents of a config.php.
type Site struct {
	Location
	// Unset lists the environment variables that config.php reads and that are not
	// set here. Its fallback values may differ from those of the web server.
	Unset []php.Use
	// Included lists the files that were read, config.php first.
	Included []string

	given    map[string]config.Secret
	settings []php.Property
	open     *php.Reason // why there may be other settings
	exists   func(path string) bool
}

// undefined lists constants that only Moodle's tests and special scripts define.
var undefined = []string{
	"PHPUNIT_TEST", "PHPUNIT_UTIL", "BEHAT_TEST", "BEHAT_UTIL", "BEHAT_SITE_RUNNING", "BEHAT_PARALLEL_UTIL", "MDL_PERF_TEST", "ABORT_AFTER_CONFIG", "IGNORE_COMPONENT_CACHE",
}

// Read evaluates the config.php that Find finds at path. It fails if the file cannot
// be read or parsed; an unknown setting is an error only when it is requested.
func Read(ctx context.Context, path string, o Options) (*Site, error) {
	at, err := Find(path)
	if err != nil {
		return nil, err
	}
	server, err := o.server()
	if err != nil {
		return nil, err
	}
	real, err := filepath.EvalSymlinks(at.File)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", at.File, err)
	}
	files := o.Files
	if files == nil {
		files = confine(at.File, real, o.Readable)
	}
	r, err := php.Run(ctx, real, php.Options{Files: files, Env: o.Env, Server: server, Undefined: undefined, End: []string{"/lib/setup.php"}})
	if err != nil {
		return nil, explain(at.File, err, len(server) > 0)
	}
	s := &Site{Location: at, Unset: r.Unset, Included: r.Included, given: o.Given}
	s.exists = func(path string) bool {
		_, err := files.Stat(path)
		return err == nil
	}
	s.settings, s.open = r.Properties("CFG")
	if len(s.settings) == 0 && s.open == nil {
		return nil, failure.New(failure.Usage, "%s sets nothing in $CFG; is it Moodle's config.php?", at.File)
	}
	return s, nil
}

// explain adds a remedy to the error of a file that cannot be evaluated.
func explain(file string, err error, addressed bool) error {
	var syntax *php.SyntaxError
	var limit *php.LimitError
	var end *php.EndError
	switch {
	case errors.As(err, &syntax), errors.As(err, &limit):
		return failure.New(failure.Usage, "cannot read the site's configuration: %w", err)
	case errors.As(err, &end):
		remedy := ""
		if addressed {
			remedy = "; check the site's address"
		}
		if len(end.Unset) > 0 {
			var names []string
			for _, u := range end.Unset {
				names = append(names, u.Name)
			}
			remedy += "; not set in this environment: " + strings.Join(names, ", ")
		}
		return failure.New(failure.Usage, "cannot read the site's configuration: %w%s", err, remedy)
	case errors.Is(err, fs.ErrPermission):
		return failure.New(failure.Usage, "cannot read the site's configuration: %w; run Vault as root or as the user of the web server", err)
	}
	return fmt.Errorf("reading %s: %w", file, err)
}

// WWWRoot returns the site's address without a trailing slash.
func (s *Site) WWWRoot() (string, error) {
	text, err := s.needed("wwwroot")
	return strings.TrimRight(text, "/"), err
}

// DataRoot returns the absolute path of the site's data root.
func (s *Site) DataRoot() (string, error) {
	text, err := s.needed("dataroot")
	if err != nil {
		return "", err
	}
	if !filepath.IsAbs(text) {
		_, _, pos, _ := s.lookup("dataroot")
		return "", failure.New(failure.Usage, "%s: dataroot is not an absolute path on this machine; give dataroot as an option", pos)
	}
	return filepath.Clean(text), nil
}

// DefaultPermissions are the permissions that Moodle gives to directories in the data
// root if config.php does not set them.
const DefaultPermissions = 0o2777

// DirectoryPermissions returns the permissions of new directories in the data root,
// DefaultPermissions if config.php does not set them or the value is unknown.
func (s *Site) DirectoryPermissions() uint32 {
	v, _, _, ok := s.lookup("directorypermissions")
	if n, isInt := v.Int(); ok && isInt && n > 0 && n <= 0o7777 {
		return uint32(n)
	}
	return DefaultPermissions
}
