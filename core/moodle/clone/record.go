package clone

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
)

// Where a copy keeps the addresses of the sites that it and its originals were copied from:
// in config_plugins, one row for each, whose name begins with RecordPrefix.
const (
	RecordPlugin = "vault"
	RecordPrefix = "production_"
)

// record keeps the address of an original.
func record(address string) rule {
	sum := sha256.Sum256([]byte(normal(address)))
	return pluginSetting(RecordPlugin, RecordPrefix+hex.EncodeToString(sum[:6]), address)
}

// SameAddress reports whether two addresses ($CFG->wwwroot) are those of one site: the
// scheme, the case of the host and a slash at the end make no difference.
func SameAddress(a, b string) bool { return normal(a) == normal(b) }

// normal returns an address without what SameAddress ignores.
func normal(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" {
		return strings.TrimRight(strings.TrimSpace(address), "/")
	}
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return host + strings.TrimRight(u.Path, "/")
}
