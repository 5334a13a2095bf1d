package http

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"slices"
)

// proxyVariables are the variables of the environment that name a proxy.
var proxyVariables = []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"}

// proxy returns which proxy a request uses: that of the environment or, if it names none,
// that of the site. With an error, it is that of the environment.
func (a *action) proxy(ctx context.Context) (func(*http.Request) (*url.URL, error), error) {
	named := slices.ContainsFunc(proxyVariables, func(name string) bool { return os.Getenv(name) != "" })
	if a.config.Site == nil || named {
		return http.ProxyFromEnvironment, nil
	}
	there, err := a.config.Site.Read(ctx)
	if err != nil {
		return http.ProxyFromEnvironment, err
	}
	p, err := there.Proxy(ctx)
	if err != nil {
		return http.ProxyFromEnvironment, err
	}
	return func(r *http.Request) (*url.URL, error) { return p.For(r.URL.Hostname()), nil }, nil
}
