package siteconfig

import (
	"net/url"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle/php"
)

// Options provides everything that config.php may depend on. All fields are optional.
type Options struct {
	// Env returns an environment variable. Site.Unset lists the variables that
	// config.php reads and Env does not have.
	Env func(name string) (value string, ok bool)
	// Server holds $_SERVER as the web server sets it. HTTP_HOST selects one of
	// several sites that share a code directory.
	Server map[string]string
	// Address is the site's address, such as https://moodle.example.org. It sets the
	// keys of Server that can be derived from it.
	Address string
	// Given holds settings that override those of config.php, by name: dbpass,
	// wwwroot, dboptions.dbport.
	Given map[string]config.Secret
	// Readable lists directories whose files config.php may include, besides its own
	// directory and the one above.
	Readable []string
	// Files reads the site's files; nil for the file system, limited to these
	// directories.
	Files php.Files
}

// server returns the contents of $_SERVER.
func (o Options) server() (map[string]string, error) {
	all := map[string]string{}
	if o.Address != "" {
		u, err := url.Parse(o.Address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, failure.New(failure.Usage, "the site's address is not http://HOST or https://HOST")
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		all["HTTP_HOST"], all["SERVER_NAME"], all["SERVER_PORT"], all["REQUEST_SCHEME"] = u.Host, u.Hostname(), port, u.Scheme
		all["HTTPS"] = ""
		if u.Scheme == "https" {
			all["HTTPS"] = "on"
		}
		if path := strings.TrimSuffix(u.Path, "/"); path != "" {
			all["REQUEST_URI"] = path + "/"
		}
	}
	for k, v := range o.Server {
		all[k] = v
	}
	return all, nil
}
