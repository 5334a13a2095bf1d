package host

import (
	"net/url"
	"os"
	"slices"
	"strings"
)

// passed are the variables of the environment that a plugin gets, if they are set:
// what programs need to find libraries, certificates, a proxy, the time zone and
// the language. Nothing of Vault's own, and no credentials: not those of cloud
// services either. What else a plugin needs is named in Program.Env.
func passed() []string {
	return []string{
		"PATH", "HOME", "USER", "LOGNAME", "TZ", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES",
		"SSL_CERT_FILE", "SSL_CERT_DIR",
		"http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
	}
}

// environment is the whole environment of a plugin: what is passed, the named
// variables, and a folder for temporary files. A proxy's address that holds a
// password is passed only where it is named: withheld are the others.
func environment(named []string, tempDir string) (env, withheld []string) {
	env = []string{"TMPDIR=" + tempDir, "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1"}
	seen := map[string]bool{"TMPDIR": true}
	for _, name := range append(passed(), named...) {
		value, ok := os.LookupEnv(name)
		switch {
		case !ok || seen[name] || name == "" || strings.Contains(name, "="):
			continue
		case !slices.Contains(named, name) && strings.HasSuffix(strings.ToLower(name), "_proxy") && holdsPassword(value):
			withheld = append(withheld, name)
			continue
		}
		env = append(env, name+"="+value)
		seen[name] = true
	}
	return env, withheld
}

// holdsPassword tells whether a proxy's address has user information, with or
// without a scheme before it.
func holdsPassword(address string) bool {
	if !strings.Contains(address, "@") {
		return false
	}
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	return err != nil || u.User != nil
}
