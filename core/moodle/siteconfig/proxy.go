package siteconfig

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/config"
)

// Proxy is how a site reaches what is outside. Its zero value is no proxy.
type Proxy struct {
	Host     string
	Port     int    // 0 for the default of its kind
	Kind     string // http or socks5
	User     string
	Password config.Secret
	Bypass   []string // beginnings or ends of the names of hosts that are reached without it
}

// Proxy is the site's proxy. What config.php forces wins over what stored returns
// for a name in the table config; stored may be nil.
func (s *Site) Proxy(stored func(name string) string) (Proxy, error) {
	var failed error
	get := func(name string) string {
		if _, _, _, forced := s.lookup(name); forced || s.open != nil {
			text, err := s.optional(name)
			if err != nil && failed == nil {
				failed = err
			}
			return strings.TrimSpace(text)
		}
		if stored == nil {
			return ""
		}
		return strings.TrimSpace(stored(name))
	}
	p := Proxy{Host: get("proxyhost")}
	if p.Host == "" {
		return Proxy{}, failed
	}
	p.Port, _ = strconv.Atoi(get("proxyport"))
	p.Kind = "http"
	if strings.EqualFold(get("proxytype"), "SOCKS5") {
		p.Kind = "socks5"
	}
	p.User, p.Password = get("proxyuser"), config.NewSecret(get("proxypassword"))
	for one := range strings.SplitSeq(get("proxybypass"), ",") {
		if one = strings.TrimSpace(one); one != "" {
			p.Bypass = append(p.Bypass, one)
		}
	}
	if failed != nil {
		return Proxy{}, failed
	}
	return p, nil
}

// For is the address of the proxy for a host, nil where there is none or where the
// host is reached without it, by Moodle's rule: its name begins or ends with an
// element of Bypass. The password is in it.
func (p Proxy) For(host string) *url.URL {
	if p.Host == "" {
		return nil
	}
	host = strings.ToLower(host)
	for _, b := range p.Bypass {
		if b = strings.ToLower(b); strings.HasPrefix(host, b) || strings.HasSuffix(host, b) {
			return nil
		}
	}
	u := &url.URL{Scheme: p.Kind, Host: p.Host}
	if p.Port > 0 {
		u.Host = net.JoinHostPort(strings.Trim(p.Host, "[]"), strconv.Itoa(p.Port))
	}
	if p.User != "" {
		u.User = url.User(p.User)
		if !p.Password.IsZero() {
			u.User = url.UserPassword(p.User, p.Password.Reveal())
		}
	}
	return u
}
