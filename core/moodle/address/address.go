package address

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Address is the address of a site, $CFG->wwwroot.
type Address struct {
	Scheme string // http or https
	Host   string // name or IPv4 address
	Port   string // "" for none
	Path   []string
}

var (
	host    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	segment = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)
)

// Parse reads an address: SCHEME://HOST, with an optional port and path. A slash at the end
// is ignored, as Moodle's addresses have none.
func Parse(text string) (Address, error) {
	bad := func(why string) (Address, error) {
		return Address{}, fmt.Errorf("the address %q %s; an address looks like https://moodle.example.org or https://example.org:8443/moodle", text, why)
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return bad("can't be read")
	case u.Scheme != "http" && u.Scheme != "https" || !strings.HasPrefix(text, u.Scheme):
		return bad("begins neither with http:// nor with https://")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return bad("has a user, a query or a fragment")
	case !host.MatchString(u.Hostname()):
		return bad("has no host name of letters, digits, dots and hyphens")
	case strings.HasSuffix(u.Host, ":"):
		return bad("has no port after the colon")
	}
	a := Address{Scheme: u.Scheme, Host: u.Hostname(), Port: u.Port()}
	if path := strings.TrimRight(u.EscapedPath(), "/"); path != "" {
		a.Path = strings.Split(path[1:], "/")
	}
	for _, s := range a.Path {
		if !segment.MatchString(s) || strings.Trim(s, ".") == "" {
			return bad("has a path with other characters than letters, digits, -, _, . and ~")
		}
	}
	return a, nil
}

// String returns the address as in config.php.
func (a Address) String() string { return a.Scheme + ":" + a.relative("/", ":") }

// relative returns the address without its scheme and the colon behind it, for the given
// spellings of a slash and a colon.
func (a Address) relative(slash, colon string) string {
	text := slash + slash + a.Host
	if a.Port != "" {
		text += colon + a.Port
	}
	for _, s := range a.Path {
		text += slash + s
	}
	return text
}
