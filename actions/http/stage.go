// Package http implements the action that requests a URL, for example to report to a
// monitor whether a backup succeeded.
package http

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

// Config is the configuration of the action.
type Config struct {
	URL      config.Secret            `key:"url" required:"true" place:"" help:"the address, http or https; it is treated as a secret, because many such addresses contain a token" example:"${env:MONITOR_URL}"`
	Method   string                   `key:"method" default:"GET" oneof:"GET HEAD POST PUT" help:"method of the request; POST and PUT send the outcome of the run as JSON"`
	Headers  map[string]config.Secret `key:"headers" help:"headers of the request" example:"{Authorization: \"Bearer ${env:MONITOR_TOKEN}\"}"`
	Timeout  config.Duration          `key:"timeout" default:"30s" min:"1s" max:"10m" help:"how long one attempt may take"`
	Attempts int                      `key:"attempts" default:"3" min:"1" max:"10" help:"maximum number of attempts if the server cannot be reached or answers 429 or 5xx"`
	Site     *site.Settings           `key:"site" help:"a Moodle site whose proxy settings are used if the environment names no proxy"`
}

var token = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// Validate checks the address and the headers. Its errors contain neither.
func (c *Config) Validate() error {
	u, err := url.Parse(c.URL.Reveal())
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return config.At("url", "url must be an address that begins with http:// or https://")
	}
	for name, value := range c.Headers {
		if !token.MatchString(name) || strings.ContainsAny(value.Reveal(), "\r\n\x00") {
			return config.At("headers", "headers has a name that is no name of a header, or a value with a line break")
		}
	}
	return nil
}

// Stage returns the description of the action.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name: "http", Role: stage.RoleAction, Summary: "Requests a URL, to tell a monitor how the run went.",
			Doc: `It succeeds when the server answers with a status from 200 to 299. Redirects are followed on the same host, and never
from https to http. The proxy variables of the environment (` + "`https_proxy`" + ` …) are used. Without them, ` + "`site: {dir: /var/www/moodle}`" + ` uses
the proxy that the Moodle site is configured with (` + "`proxyhost`" + ` …); if its settings cannot be read, the request is sent without a proxy, with a warning.

Use it below ` + "`after`" + `: once for each outcome that the monitor wants to hear of. A plan and a dry run send nothing.

` + "`POST` and `PUT`" + ` send a JSON object with ` + "`pipeline`, `moment`" + ` and, after a run, ` + "`run`, `status`, `exit`, `error`, `started`, `snapshots`, `bytes`, `rows`, `files`" + `
and ` + "`losses`" + `. Secrets are hidden in the error.`,
			Config: func() any { return &Config{} },
		},
		NewAction: stage.Typed(func(_ context.Context, c *Config, env stage.Env) (stage.Action, error) {
			return &action{config: c, version: env.Version, transport: &http.Transport{ForceAttemptHTTP2: true}}, nil
		}),
	}
}
