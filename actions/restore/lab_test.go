package restore

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/lab"
)

// A real site's backup fits the site's own code. An add-on that is removed from the code is
// missing.
func TestRealSiteFitsItsOwnCode(t *testing.T) {
	fsys := lab.Code(t)
	text, err := os.ReadFile(filepath.Join(lab.Dir(t), "all_versions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var listed struct {
		Plugins []struct {
			Component string
			Version   json.Number
		}
	}
	if err := json.Unmarshal(text, &listed); err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, p := range listed.Plugins {
		versions[p.Component] = p.Version.String()
	}
	dir := t.TempDir()
	for name, file := range fsys { // os.CopyFS is slow with many directories in a map
		if file.Mode.IsDir() {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "config.php"), []byte("<?php $CFG = new stdClass(); $CFG->wwwroot = 'https://school.example.org'; require('lib/setup.php');"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := json.Marshal(versions)
	if err != nil {
		t.Fatal(err)
	}
	plan := &stage.Plan{Facts: map[string]string{moodle.VersionFact: "2024100706.00", moodle.ReleaseFact: "4.5.6 (Build: 20250811)", moodle.PluginsFact: string(all)}}
	cfg := onSQLite(t, address)
	cfg.Dir = dir
	holdsAll(t, findings(t, "restore-version", cfg, plan), "ok: restore-version: backup and target have the same version")
	holdsAll(t, findings(t, "restore-plugins", cfg, plan), "ok: restore-plugins: plugins: no problems found")
	if err := os.RemoveAll(filepath.Join(dir, "mod", "questionnaire")); err != nil {
		t.Fatal(err)
	}
	holdsAll(t, findings(t, "restore-plugins", cfg, plan), "fail: restore-plugins: the target lacks the code of 1 plugin: mod_questionnaire")
	plan.Facts[moodle.VersionFact], plan.Facts[moodle.ReleaseFact] = "2021051700", "3.11.18"
	holdsAll(t, findings(t, "restore-version", cfg, plan), "fail: restore-version", "cannot upgrade", "it needs at least 4.1")
}
