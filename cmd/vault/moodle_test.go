package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the driver sqlite
)

// Missing plugins are listed first; nothing is removed without a confirmation.
func TestMissingPluginsAreRemovedAfterConfirmation(t *testing.T) {
	dir := t.TempDir()
	code := sampleSite(t, dir)
	db, err := sql.Open("sqlite", filepath.Join(dir, "site/site.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	o := vault(t, 0, nil, "moodle", "remove-missing", code)
	if !strings.Contains(o.stdout, "ok: missing-plugin-none: the code of every installed plugin is there") {
		t.Errorf("without a missing plugin:\n%s", o.stdout)
	}
	for _, statement := range []string{
		"INSERT INTO mdl_config_plugins (plugin, name, value) VALUES ('local_gone', 'version', '2024010100'), ('local_gone', 'key', 'x')", "CREATE TABLE mdl_local_gone_data (id INTEGER PRIMARY KEY)",
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	cache := filepath.Join(dir, "site/dataroot/cache/plugins")
	if err := os.MkdirAll(filepath.Dir(cache), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cache, []byte("cached"), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := func() (n int) {
		if err := db.QueryRow("SELECT (SELECT COUNT(*) FROM mdl_config_plugins WHERE plugin = 'local_gone') + (SELECT COUNT(*) FROM sqlite_master WHERE name = 'mdl_local_gone_data')").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	o = vault(t, 0, nil, "moodle", "remove-missing", code, "--dry-run")
	if !strings.Contains(o.stdout, "local_gone would be removed\n    table local_gone_data\n    2 rows of config_plugins\n") {
		t.Errorf("a dry run:\n%s", o.stdout)
	}
	o = vault(t, 3, nil, "moodle", "remove-missing", code)
	if !strings.Contains(o.stderr, "give --yes") || !strings.Contains(o.stderr, "1 plugin would be uninstalled") || rows() != 3 || !there(dir, "site/dataroot/cache/plugins") {
		t.Errorf("without --yes %d are left:\n%s", rows(), o.stderr)
	}
	o = vault(t, 0, nil, "moodle", "remove-missing", code, "--yes", "--json")
	if !strings.Contains(o.stdout, `"local_gone was removed"`) || rows() != 0 || there(dir, "site/dataroot/cache/plugins") {
		t.Errorf("%d are left:\n%s", rows(), o.stdout)
	}
	if err := os.WriteFile(filepath.Join(code, "version.php"), []byte("<?php $version = 2099010100.00; $release = '9.9 (Build: 20990101)'; $branch = '909';"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO mdl_config_plugins (plugin, name, value) VALUES ('local_gone', 'version', '2024010100')"); err != nil {
		t.Fatal(err)
	}
	o = vault(t, 3, nil, "moodle", "remove-missing", code, "--yes")
	if !strings.Contains(o.stdout, "run Moodle's upgrade first") || rows() != 1 {
		t.Errorf("while an upgrade is due:\n%s\n%s", o.stdout, o.stderr)
	}
}

// setting returns a setting in the database of a sample site.
func setting(t *testing.T, dir, name string) string {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "site/site.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var value sql.NullString
	if err := db.QueryRowContext(t.Context(), "SELECT max(value) FROM mdl_config WHERE name = ?", name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value.String
}

// A copy that was made with other tools becomes safe when a person says that it is a copy,
// and the command may be repeated.
func TestSafeCloneOfAnExistingCopy(t *testing.T) {
	dir := t.TempDir()
	code := sampleSite(t, dir)
	cache := filepath.Join(dir, "site/dataroot/cache/config")
	if err := os.MkdirAll(filepath.Dir(cache), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cache, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := vault(t, 3, nil, "moodle", "safe-clone", code, "--yes"); !strings.Contains(o.stdout, "copy: true") {
		t.Errorf("a site of which nothing is known: %s", o.stdout)
	}
	copied := []string{"moodle", "safe-clone", code, "--with", "copy=true", "--with", "banner=false"}
	if o := vault(t, 0, nil, append(copied, "--dry-run")...); !strings.Contains(o.stdout, "dry run: Mail is off (rows:") || setting(t, dir, "noemailever") != "" {
		t.Errorf("the dry run prints %s", o.stdout)
	}
	if o := vault(t, 3, nil, copied...); !strings.Contains(o.stderr, "--yes") || setting(t, dir, "noemailever") != "" {
		t.Errorf("without an answer: %s", o.stderr)
	}
	if o := vault(t, 0, nil, append(copied, "--yes")...); !strings.Contains(o.stdout, "measures that are off: banner") || setting(t, dir, "noemailever") != "1" || setting(t, dir, "cron_enabled") != "0" {
		t.Errorf("the command prints %s", o.stdout)
	}
	if _, err := os.Stat(cache); !os.IsNotExist(err) {
		t.Errorf("the cache is still there (%v)", err)
	}
	if o := vault(t, 0, nil, append(copied, "--yes", "--json")...); !strings.Contains(o.stdout, `"Mail is off (nothing to do)"`) {
		t.Errorf("the second run prints %s", o.stdout)
	}
	vault(t, 2, nil, "moodle", "safe-clone", code, "--with", "mial=false")
}
