package purgecaches_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/actions/purgecaches"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

// write creates a file.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, dir string, dry bool) stage.ActionReport {
	t.Helper()
	a, err := purgecaches.Stage().NewAction(t.Context(), &purgecaches.Config{Settings: site.Settings{Dir: dir}}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Run(t.Context(), stage.ActionRequest{Moment: stage.MomentAfter, DryRun: dry})
	if err != nil || r.Validate() != nil {
		t.Fatalf("%v, %v", err, r.Validate())
	}
	return r
}

// levels counts the findings by level.
func levels(r stage.ActionReport) map[stage.Level]int {
	n := map[stage.Level]int{}
	for _, f := range r.Findings {
		n[f.Level]++
	}
	return n
}

func TestPurgesCachesAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	root, code, fast := filepath.Join(dir, "data"), filepath.Join(dir, "code"), filepath.Join(dir, "fast")
	write(t, filepath.Join(code, "config.php"), `<?php $CFG = new stdClass(); $CFG->dataroot = '`+root+`'; $CFG->localcachedir = '`+fast+`'; $CFG->session_file_save_path = '`+dir+`/others';`)
	write(t, filepath.Join(root, "muc/config.php"), `<?php defined('MOODLE_INTERNAL') || die(); $configuration = ['stores' => [
		'usual' => ['plugin' => 'file', 'configuration' => []],
		'own' => ['plugin' => 'file', 'configuration' => ['path' => '`+root+`/mystore']],
		'outside' => ['plugin' => 'file', 'configuration' => ['path' => '`+dir+`/store']],
		'bad' => ['plugin' => 'file', 'configuration' => ['path' => '`+root+`/lang']],
		'quick' => ['plugin' => 'redis', 'configuration' => ['server' => '10.0.0.5', 'prefix' => 'm_', 'password' => 'hunter2']],
	]];`)
	gone := []string{root + "/cache/a", root + "/cache/b/c", fast + "/d", root + "/mystore/e"}
	kept := []string{root + "/filedir/aa/bb/f", root + "/lang/de/f", dir + "/others/sess_1", dir + "/store/f", root + "/muc/config.php"}
	for _, path := range slices.Concat(gone, kept[:4]) {
		write(t, path, "x")
	}
	there := func(path string) bool { _, err := os.Stat(path); return err == nil }
	r := run(t, code, true)
	for _, path := range slices.Concat(gone, kept) {
		if !there(path) {
			t.Errorf("a dry run removed %s", path)
		}
	}
	if n := levels(r); n[stage.LevelOK] != 3 || n[stage.LevelWarning] != 3 || !strings.HasPrefix(r.Findings[3].What, "would remove 2 files with 2 bytes") {
		t.Errorf("a dry run: %v", r.Findings)
	}
	r = run(t, code, false)
	for _, path := range gone {
		if there(path) {
			t.Errorf("%s is still there", path)
		}
	}
	for _, path := range append(kept, root+"/cache", root+"/mystore", fast) {
		if !there(path) {
			t.Errorf("%s is gone", path)
		}
	}
	var warned string
	for _, f := range r.Findings {
		if f.Level == stage.LevelWarning {
			warned += f.String() + "\n"
		}
	}
	for _, want := range []string{`"quick" (redis) is not emptied (10.0.0.5 prefix m_)`, "delete the keys with this prefix", `"outside" (file)`, `"bad" (file)`} {
		if !strings.Contains(warned, want) {
			t.Errorf("no %s in %s", want, warned)
		}
	}
	if strings.Contains(warned, "hunter2") {
		t.Error("a password is shown")
	}
}

func TestUnreadableStoresAreAWarning(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "code/config.php"), `<?php $CFG = new stdClass(); $CFG->dataroot = '`+dir+`';`)
	write(t, filepath.Join(dir, "cache/a"), "x")
	write(t, filepath.Join(dir, "muc/config.php"), "<?php broken(")
	r := run(t, filepath.Join(dir, "code"), false)
	if levels(r)[stage.LevelWarning] != 1 || !strings.Contains(r.Findings[0].String(), "which cache stores the site has is unknown") {
		t.Errorf("%v", r.Findings)
	}
	if _, err := os.Stat(filepath.Join(dir, "cache/a")); err == nil {
		t.Error("the cache is not emptied")
	}
}

func TestDirectoryWithMoreThanACacheIsNotEmptied(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "code/config.php"), `<?php $CFG = new stdClass(); $CFG->dataroot = '`+dir+`/data'; $CFG->cachedir = '`+dir+`';`)
	a, err := purgecaches.Stage().NewAction(t.Context(), &purgecaches.Config{Settings: site.Settings{Dir: filepath.Join(dir, "code")}}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Run(t.Context(), stage.ActionRequest{}); err == nil || !strings.Contains(err.Error(), "cachedir is "+dir+", which holds more than a cache") {
		t.Errorf("%v", err)
	}
}
