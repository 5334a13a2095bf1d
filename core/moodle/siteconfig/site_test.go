package siteconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle/php"
	"github.com/lmsvault/vault/internal/lab"
)

const minimal = "<?php\n$CFG = new stdClass();\n$CFG->dbtype = 'mysqli';\n$CFG->dbhost = 'db';\n$CFG->dbname = 'm';\n$CFG->dbuser = 'u';\n" +
	"$CFG->dbpass = 'p';\n$CFG->wwwroot = 'http://h';\n$CFG->dataroot = '/d';\n"

// site writes files of a site to a new directory and returns the directory.
func site(t *testing.T, pairs ...string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for k := 0; k+1 < len(pairs); k += 2 {
		path := filepath.Join(dir, pairs[k])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(pairs[k+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindRefusesADirectoryWithoutConfig(t *testing.T) {
	dir := site(t, "lib/x.php", "")
	for _, path := range []string{dir, filepath.Join(dir, "none")} {
		_, err := Find(path)
		if !errors.Is(err, fs.ErrNotExist) || failure.Of(err) != failure.Usage {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// forbidden is a site whose files this user may not read.
type forbidden struct{ confined }

func (forbidden) Read(path string) ([]byte, error) {
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
}

func TestReadSaysWhoMayReadConfig(t *testing.T) {
	dir := site(t, "config.php", minimal)
	_, err := Read(t.Context(), dir, Options{Files: forbidden{}})
	if failure.Of(err) != failure.Usage || !strings.Contains(err.Error(), dir+"/config.php: permission denied; run Vault as") {
		t.Errorf("got %v", err)
	}
}

// On Debian the config.php in the code is a link to /etc/moodle.
func TestReadFollowsASymlinkToConfig(t *testing.T) {
	dir := site(t, "etc/moodle/config.php", minimal+"require 'more.php'; $CFG->x = __DIR__;", "etc/moodle/more.php", "<?php $CFG->prefix = 'x_';", "code/lib/setup.php", "")
	if err := os.Symlink(filepath.Join(dir, "etc/moodle/config.php"), filepath.Join(dir, "code/config.php")); err != nil {
		t.Fatal(err)
	}
	s, err := Read(t.Context(), filepath.Join(dir, "code"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.Database()
	if err != nil || d.Prefix != "x_" || s.Dir != filepath.Join(dir, "code") {
		t.Errorf("prefix %q, directory %s, %v", d.Prefix, s.Dir, err)
	}
	if x, ok := s.Forced().CoreSetting("x"); !ok || written(x.Value) != fmt.Sprintf("%q", filepath.Join(dir, "etc/moodle")) {
		t.Errorf("__DIR__ is %s", written(x.Value))
	}
}

// Another user may be able to write config.php, and Vault may run as root: config.php
// must not make it read files outside of the site, or block.
func TestIncludesStayInTheSitesDirectories(t *testing.T) {
	dir := site(t, "a/b/code/config.php", "", "outside.php", "<?php $CFG->dbname = 'outside';", "a/b/beside.php", "<?php $CFG->dbname = 'beside';", "a/b/code/big.php", "<?php "+strings.Repeat("//", 1<<20))
	code := filepath.Join(dir, "a/b/code")
	if err := os.Symlink(filepath.Join(dir, "outside.php"), filepath.Join(code, "link.php")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(code, "pipe.php"), 0o600); err != nil {
		t.Fatal(err)
	}
	for include, want := range map[string]string{
		"__DIR__ . '/../beside.php'":        "beside",
		"'" + dir + "/outside.php'":         "is outside of the site's directories",
		"__DIR__ . '/../../../outside.php'": "is outside of the site's directories",
		"'link.php'":                        "is outside of the site's directories",
		"'pipe.php'":                        "is not a regular file",
		"'/dev/zero'":                       "is outside of the site's directories",
		"__DIR__":                           "is not a regular file",
		"'big.php'":                         "larger than",
	} {
		if err := os.WriteFile(filepath.Join(code, "config.php"), []byte(minimal+"include "+include+";"), 0o644); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		s, err := Read(t.Context(), code, Options{})
		if err != nil {
			t.Fatal(err)
		}
		d, err := s.Database()
		if d.Name != want && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("include %s: got %q, %v, want %q", include, d.Name, err, want)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("include %s took %s", include, took)
		}
	}
	if err := os.WriteFile(filepath.Join(code, "config.php"), []byte(minimal+"include 'link.php';"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Read(t.Context(), code, Options{Readable: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	if d, err := s.Database(); err != nil || d.Name != "outside" {
		t.Errorf("with its directory allowed: got %q, %v", d.Name, err)
	}
}

func TestReadTellsWhyASettingIsUnknown(t *testing.T) {
	dir := site(t, "config.php", minimal+"$CFG->dbname = 'x' . getmypid();\n$CFG->dbpass = $_SERVER['HTTP_HOST'] . 's3cret';\n")
	s, err := Read(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Database()
	var unknown *UnknownError
	if !errors.As(err, &unknown) || failure.Of(err) != failure.Usage {
		t.Fatalf("got %v", err)
	}
	if unknown.Settings[0] != "dbname" || unknown.Pos.Line != 10 || unknown.Reason.Root().Cause != php.Function || unknown.Reason.Root().Name != "getmypid" {
		t.Errorf("got %+v", unknown)
	}
	for _, given := range []map[string]config.Secret{
		{"dbname": config.NewSecret("n"), "dbpass": config.NewSecret("p")},
		{"dbname": config.NewSecret("n"), "dbpass": config.NewSecret("")},
	} {
		s, err := Read(t.Context(), dir, Options{Given: given})
		if err != nil {
			t.Fatal(err)
		}
		if d, err := s.Database(); err != nil || d.Name != "n" || d.Password.Reveal() != given["dbpass"].Reveal() {
			t.Errorf("with both given: got %q, %v", d.Name, err)
		}
	}
}

// No error or formatted value shows a password, wherever a file is truncated.
func TestErrorsDoNotShowValues(t *testing.T) {
	code := "<?php\n$CFG = new stdClass();\n$CFG->dbtype = 'mysqli';\n$CFG->dbhost = \"zq7host {$x['zq7key']}\";\n$CFG->dbname = zq7const . 'zq7name' . time();\n" +
		"$CFG->dbuser = zq7call('zq7user', $_SERVER['HTTP_HOST'] ?: 'zq7default');\n$CFG->dbpass = match (time()) { 1 => 'zq7pass', default => 'zq7other' };\n" +
		"$CFG->dboptions = ['dbport' => 'zq7port', 'ssl' => 'zq7ssl'];\n$CFG->wwwroot = <<<EOT\nzq7text $x\nEOT . rand();\n$CFG->dataroot = ['zq7data'];\n"
	dir := site(t)
	file := filepath.Join(dir, "config.php")
	for cut := range len(code) {
		for _, broken := range []string{code[:cut], code[:cut] + code[cut+1:], code[:cut] + "'" + code[cut:]} {
			if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Read(t.Context(), dir, Options{})
			shown := fmt.Sprint(err)
			if err == nil {
				_, one := s.Database()
				_, two := s.WWWRoot()
				_, three := s.DataRoot()
				shown = fmt.Sprint(one, two, three)
				for _, f := range s.Forced().Core {
					shown += fmt.Sprintf("%v %+v %#v %s %q", f, f.Value, f.Value, f.Value, f.Value)
				}
			}
			for _, secret := range []string{"zq7host", "zq7const", "zq7name", "zq7user", "zq7default", "zq7pass", "zq7other", "zq7port", "zq7ssl", "zq7text", "zq7data"} {
				if strings.Contains(shown, secret) {
					t.Fatalf("found %s in %s", secret, shown)
				}
			}
		}
	}
}

func TestProxyTakesStoredSettingsWhereNoneAreForced(t *testing.T) {
	dir := site(t, "config.php", minimal+"$CFG->proxyport = 8080;\n")
	s, err := Read(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]string{"proxyhost": "proxy.internal", "proxyport": "3128", "proxytype": "HTTP", "proxybypass": "10.0., ,.internal"}
	p, err := s.Proxy(func(name string) string { return stored[name] })
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{"s3.example.org": "http://proxy.internal:8080", "10.0.3.4": "", "S3.Internal": "", "110.0.0.1": "http://proxy.internal:8080"} {
		got := ""
		if u := p.For(host); u != nil {
			got = u.String()
		}
		if got != want {
			t.Errorf("proxy for %s: %q, want %q", host, got, want)
		}
	}
	if p, err := s.Proxy(nil); err != nil || p.For("example.org") != nil {
		t.Errorf("without stored settings: %v, %v", p, err)
	}
}

// The config.php of a real site can be read; internal/lab says when the sites may be missing.
func TestReadLabSite(t *testing.T) {
	code := filepath.Join(lab.Dir(t), "code.tar.zst")
	dir := t.TempDir()
	if out, err := exec.Command("sh", "-c", `zstd -dqc "$1" | tar x -C "$2" ./config.php ./version.php || zstd -dqc "$1" | tar x -C "$2" config.php version.php`, "sh", code, dir).CombinedOutput(); err != nil {
		t.Fatalf("unpacking the code: %v\n%s", err, out)
	}
	s, err := Read(t.Context(), dir, Options{Env: func(name string) (string, bool) { return "from outside", name == "LAB_DBPASS" }})
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.Database()
	if err != nil || d.Engine != MySQL || d.Name != "moodle_my" || d.Password.Reveal() != "from outside" || d.Prefix != "mdl_" || d.Port != 3306 {
		t.Errorf("the database is %+v, %v", d, err)
	}
	forced := s.Forced()
	for name, want := range map[string]string{"quiz/attempts": "3", "quiz/overduehandling": "autoabandon", "logstore_standard/loglifetime": "365", "/maxbytes": "20971520", "/country": "DE", "/noemailever": "1"} {
		plugin, setting, _ := strings.Cut(name, "/")
		one, ok := forced.PluginSetting(plugin, setting)
		if plugin == "" {
			one, ok = forced.CoreSetting(setting)
		}
		if text, known := one.Text(); !ok || !known || text != want {
			t.Errorf("%s is %q (%v, %v), want %q", name, text, ok, known, want)
		}
	}
}
