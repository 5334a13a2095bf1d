package http_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
)

// proxied returns a proxy that answers itself, with the addresses that it was asked for.
func proxied(t *testing.T) (address *url.URL, asked *atomic.Pointer[string]) {
	t.Helper()
	asked = &atomic.Pointer[string]{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := r.URL.String() + " " + r.Header.Get("Proxy-Authorization")
		asked.Store(&text)
	}))
	t.Cleanup(s.Close)
	address, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return address, asked
}

// site writes a site with these settings in its database, and this line in its config.php.
func site(t *testing.T, settings map[string]string, line string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	text := "<?php\n$CFG = new stdClass();\n$CFG->dbtype = 'sqlite3'; $CFG->dboptions = ['file' => __DIR__ . '/site.sqlite']; $CFG->prefix = 'm_';\n" + line
	for name, text := range map[string]string{"config.php": text, "site.sqlite": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := database.Address{Engine: "sqlite", Path: filepath.Join(dir, "site.sqlite"), Prefix: "m_"}
	d, err := a.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Exec(t.Context(), "CREATE TABLE {config} (id INTEGER PRIMARY KEY, name VARCHAR(255) NOT NULL, value TEXT)"); err != nil {
		t.Fatal(err)
	}
	for name, value := range settings {
		if _, err := d.Exec(t.Context(), "INSERT INTO {config} (name, value) VALUES (?, ?)", name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// requested runs the action for an address that only a proxy can answer.
func requested(t *testing.T, dir string) stage.ActionReport {
	t.Helper()
	report, err := open(t, fmt.Sprintf("{url: 'http://monitor.invalid/ping', attempts: 1, site: {dir: %q}}", dir)).Run(t.Context(), stage.ActionRequest{Moment: stage.MomentAfter})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func noProxyVariables(t *testing.T) {
	t.Helper()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"} {
		t.Setenv(name, "")
	}
}

func TestTheProxyOfASiteIsUsed(t *testing.T) {
	noProxyVariables(t)
	proxy, asked := proxied(t)
	dir := site(t, map[string]string{"proxyhost": "wrong.invalid", "proxyport": proxy.Port(), "proxyuser": "vault", "proxypassword": "zq7proxy"}, "$CFG->proxyhost = '"+proxy.Hostname()+"';")
	report := requested(t, dir)
	if report.Level() != stage.LevelOK || asked.Load() == nil || *asked.Load() != "http://monitor.invalid/ping Basic dmF1bHQ6enE3cHJveHk=" {
		t.Errorf("the report is %v, the proxy was asked for %v", report, asked.Load())
	}
}

// A monitor must hear of a backup that failed because the database is gone.
func TestASiteWithoutADatabaseIsAWarning(t *testing.T) {
	noProxyVariables(t)
	dir := site(t, nil, "")
	if err := os.Remove(filepath.Join(dir, "site.sqlite")); err != nil {
		t.Fatal(err)
	}
	report := requested(t, dir)
	if len(report.Findings) != 2 || report.Findings[0].ID != "proxy" || report.Findings[0].Level != stage.LevelWarning || !strings.Contains(report.Findings[0].What, "site.sqlite") {
		t.Errorf("the report is %v", report)
	}
}
