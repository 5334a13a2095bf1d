package host

import (
	"net/url"
	"os"
	"slices"
	"strings"
)

// passed lists the environment variables that a plugin gets if they are set: those that
// programs need for libraries, certificates, proxies, time zone and language. It includes
// no variables of Vault and no credentials, such as those of cloud services. Program.Env
// names additional variables.
func passed() []string {
	return []string{
		"PATH", "HOME", "USER", "LOGNAME", "TZ", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES",
		"SSL_CERT_FILE", "SSL_CERT_DIR",
		"http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
	}
}

// environment returns the environment of a plugin: the passed and named variables, and a
// directory for temporary files. A proxy address with a password is passed only if it is
// named; withheld lists those that were not.
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

// holdsPassword reports whether a proxy address, with or without a scheme, has user
// information.
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
