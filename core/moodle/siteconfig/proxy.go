package siteconfig

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/config"
)

// Proxy is the HTTP proxy of a site. The zero value means no proxy.
type Proxy struct {
	Host     string
	Port     int    // 0 for the default of its kind
	Kind     string // http or socks5
	User     string
	Password config.Secret
	Bypass   []string // beginnings or ends of the names of hosts that are reached without it
}

// Proxy returns the site's proxy. stored returns a value of the table config by its
// name, and may be nil; settings that config.php forces override these.
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

// For returns the address of the proxy for a host, including the password. It is nil
// if there is no proxy, or by Moodle's rule if the host's name begins or ends with an
// element of Bypass.
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
