package siteconfig

import (
	"net/url"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle/php"
)

// Options is what config.php may depend on. All of it may be empty.
type Options struct {
	// Env returns a variable of the environment. One that it lacks counts as not
	// set; Site.Unset lists those that were asked for.
	Env func(name string) (value string, ok bool)
	// Server is what $_SERVER holds when the web server runs the site: HTTP_HOST
	// decides which site of a shared code directory is meant.
	Server map[string]string
	// Address is the site's address, such as https://moodle.example.org. It stands
	// for the keys of Server that follow from it.
	Address string
	// Given are settings that win over those of config.php, by their names: dbpass,
	// wwwroot, dboptions.dbport.
	Given map[string]config.Secret
	// Readable are directories whose files config.php may include, besides those of
	// its own directory and the one above.
	Readable []string
	// Files reads the site's files; nil for the file system, with the directories above.
	Files php.Files
}

// server is what $_SERVER holds.
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
