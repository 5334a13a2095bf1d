package host

import (
	"os"
	"strings"
)

// passed are the variables of the environment that a plugin gets, if they are set:
// what programs need to find libraries, certificates, a proxy, the time zone and
// the language. Nothing of Vault's own, and no credentials.
func passed() []string {
	return []string{
		"PATH", "HOME", "USER", "LOGNAME", "TZ", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES",
		"SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
	}
}

// environment is the whole environment of a plugin: what is passed, the named
// variables, and a folder for temporary files.
func environment(named []string, tempDir string) []string {
	env := []string{"TMPDIR=" + tempDir, "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1"}
	seen := map[string]bool{"TMPDIR": true}
	for _, name := range append(passed(), named...) {
		if value, ok := os.LookupEnv(name); ok && !seen[name] && !strings.Contains(name, "=") {
			env = append(env, name+"="+value)
			seen[name] = true
		}
	}
	return env
}
