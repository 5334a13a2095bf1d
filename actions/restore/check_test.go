package restore

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/site"
)

// moodle405 is the code of a small Moodle 4.5.6 with an add-on and its subplugin.
var moodle405 = map[string]string{
	"version.php":         "<?php\n$version = 2024100706.00;\n$release = '4.5.6 (Build: 20250811)';\n$branch = '405';\n",
	"lib/components.json": `{"plugintypes": {"mod": "mod", "tool": "admin/tool"}, "subsystems": {}}`,
	"lib/plugins.json":    `{"standard": {"mod": ["forum", "quiz"]}, "deleted": {"mod": ["chat"]}}`,
	"lib/db/install.xml":  `<XMLDB/>`,
	"admin/environment.xml": `<COMPATIBILITY_MATRIX><MOODLE version="4.4" requires="4.1.2"></MOODLE>
		<MOODLE version="4.5" requires="4.1.2"></MOODLE><MOODLE version="5.0" requires="4.2.3"></MOODLE></COMPATIBILITY_MATRIX>`,
	"mod/forum/version.php":          "<?php $plugin->version = 2024100700;",
	"mod/quiz/version.php":           "<?php $plugin->version = 2024100700;",
	"mod/survey/version.php":         "<?php $plugin->version = 7;",
	"mod/survey/db/subplugins.json":  `{"subplugintypes": {"surveytype": "type"}, "plugintypes": {"surveytype": "mod/survey/type"}}`,
	"mod/survey/type/a/version.php":  "<?php $plugin->version = 7;",
	"mod/survey/type/bb/version.php": "<?php $plugin->version = 7;",
}

// there is what a backup of a site with the code of moodle405 records.
var there = map[string]string{"mod_forum": "2024100700", "mod_quiz": "2024100700", "mod_survey": "7", "surveytype_bb": "7"}

// facts are those of a backup of Moodle with plugins as in there, but for changes; "" is a
// plugin that the backup lacks.
func facts(t *testing.T, version, release string, changes map[string]string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, list := range []map[string]string{there, changes} {
		for name, version := range list {
			if all[name] = version; version == "" {
				delete(all, name)
			}
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		moodle.VersionFact: version, moodle.ReleaseFact: release, moodle.PluginsFact: string(text),
		"engine": "PostgreSQL 15.18", "dialect": "postgres",
	}
}

// moodleCode writes a site's code with a config.php.
func moodleCode(t *testing.T, php string) string {
	t.Helper()
	dir := code(t, php)
	for name, text := range moodle405 {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// findings performs the checks and returns the findings of one as text, with details.
func findings(t *testing.T, id string, cfg checkConfig, plan *stage.Plan) string {
	t.Helper()
	r, err := (&checker{cfg: cfg}).Run(t.Context(), stage.ActionRequest{Moment: stage.MomentPlanned, Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	var text strings.Builder
	for _, f := range r.Findings {
		if f.ID == id {
			text.WriteString(f.String() + "\n" + f.Details + "\n")
		}
	}
	return text.String()
}

func holdsAll(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
}

func onSQLite(t *testing.T, php string) checkConfig {
	a := empty["SQLite"](t)
	return checkConfig{targetSettings: targetSettings{Settings: site.Settings{Dir: moodleCode(t, php), Database: &a}}}
}

func TestOlderCodeThanTheBackupIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		version, release string
		want             []string
	}{
		"same":         {"2024100706.00", "4.5.6 (Build: 20250811)", []string{"ok: restore-version: backup and target have the same version of Moodle: 4.5.6"}},
		"older target": {"2025041400", "5.0 (Build: 20250414)", []string{"fail: restore-version", "4.5.6 (Build: 20250811), version 2024100706", "is older", "install Moodle 5.0"}},
		"minor newer":  {"2024100707.01", "4.5.7+", []string{"fail: restore-version"}},
		"newer target": {"2022112800", "4.1.2 (Build: 20230313)", []string{"warning: restore-version", "needs Moodle's upgrade afterwards", "admin/cli/upgrade.php"}},
		"too old":      {"2022112800", "4.1.1 (Build: 20230116)", []string{"fail: restore-version", "cannot upgrade", "4.1.2"}},
		"no release":   {"2022112800", "", []string{"warning: restore-version"}},
		"unknown":      {"", "", []string{"note: restore-version: not compared"}},
	} {
		t.Run(name, func(t *testing.T) {
			holdsAll(t, findings(t, "restore-version", onSQLite(t, address), &stage.Plan{Facts: facts(t, c.version, c.release, nil)}), c.want...)
		})
	}
}

func TestPluginsOfTheBackupAreComparedWithTheCode(t *testing.T) {
	const same, release = "2024100706.00", "4.5.6 (Build: 20250811)"
	for name, c := range map[string]struct {
		changes map[string]string
		version string
		set     func(*checkConfig)
		want    []string
		not     string
	}{
		"same":              {want: []string{"ok: restore-plugins: plugins: no problems found"}},
		"lower":             {changes: map[string]string{"mod_quiz": "2024100701"}, want: []string{"fail: restore-plugins: the target has an older version of 1 plugin: mod_quiz", "mod_quiz, backup 2024100701, target 2024100700"}},
		"missing":           {changes: map[string]string{"mod_extra": "3", "local_x": "1"}, want: []string{"fail: restore-plugins: the target lacks the code of 2 plugins: local_x, mod_extra", "allow_missing_plugins: true"}},
		"missing, allowed":  {changes: map[string]string{"mod_extra": "3"}, set: func(c *checkConfig) { c.AllowMissing = true }, want: []string{"warning: restore-plugins: the target lacks"}, not: "fail"},
		"missing, kept":     {changes: map[string]string{"mod_extra": "3"}, set: func(c *checkConfig) { c.Preserved = []string{"mod_extra"} }, not: "mod_extra"},
		"removed by Moodle": {changes: map[string]string{"mod_chat": "1"}, want: []string{"note: restore-plugins: Moodle no longer contains 1 plugin, which its upgrade uninstalls: mod_chat"}, not: "lacks"},
		"newer and extra":   {changes: map[string]string{"mod_quiz": "2023100700", "mod_survey": "", "surveytype_bb": ""}, want: []string{"note: restore-plugins: Moodle's upgrade has to upgrade 1 plugin: mod_quiz", "note: restore-plugins: the backup lacks 2 plugins of the target, which Moodle's upgrade installs", "mod_survey, target 7\n  surveytype_bb, target 7"}, not: "fail"},
		"subplugin":         {changes: map[string]string{"surveytype_bb": "8"}, want: []string{"fail", "mod_survey:\n  surveytype_bb, backup 8, target 7"}},
		"tool_vault":        {changes: map[string]string{"tool_vault": "2026051200"}, want: []string{"no problems found"}},
		"newer backup":      {version: "2025041400", changes: map[string]string{"mod_extra": "3"}, want: []string{"note: restore-plugins: not compared: the target's code is older"}},
	} {
		t.Run(name, func(t *testing.T) {
			version := c.version
			if version == "" {
				version = same
			}
			cfg := onSQLite(t, address)
			if c.set != nil {
				c.set(&cfg)
			}
			text := findings(t, "restore-plugins", cfg, &stage.Plan{Facts: facts(t, version, release, c.changes)})
			holdsAll(t, text, c.want...)
			if c.not != "" && strings.Contains(text, c.not) {
				t.Errorf("%q in:\n%s", c.not, text)
			}
		})
	}
}

func TestSpaceIsNeededForTheOldSiteAndTheNewOne(t *testing.T) {
	cfg := onSQLite(t, address)
	cfg.Dirs = []string{filepath.Join(t.TempDir(), "new", "filedir"), t.TempDir()}
	plan := &stage.Plan{Bytes: 3 << 20, Files: 10, Tables: []stage.TableInfo{{Bytes: 1 << 20}}}
	holdsAll(t, findings(t, "restore-disk-space", cfg, plan), "ok: restore-disk-space: there is enough space for the files and the database: about 4.0 MiB needed")
	plan.Bytes = 1 << 60
	holdsAll(t, findings(t, "restore-disk-space", cfg, plan), "fail: restore-disk-space: there is too little space", "about 1.0 EiB needed", "replace: in_place")
	cfg.Replace = "in_place"
	holdsAll(t, findings(t, "restore-disk-space", cfg, plan), "warning: restore-disk-space", "the old site, which is removed first")
	plan.Bytes, plan.Files = 1, 1<<60
	holdsAll(t, findings(t, "restore-disk-space", cfg, plan), "warning: restore-disk-space", "1152921504606846976 files needed")
}

// tag is a table of PostgreSQL with a unique text.
var tag = schema.Table{
	Name: "tag", Dialect: "postgres", PrimaryKey: []string{"id"},
	Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}}, {Name: "name", Type: schema.Type{Kind: schema.Char, Length: 255}}},
	Indexes: []schema.Index{{Name: "mdl_tag_nam_uix", Unique: true, Columns: []schema.IndexColumn{{Name: "name"}}}},
}

func TestKeysThatMayCollideAreListed(t *testing.T) {
	a := empty["MariaDB"](t)
	execute(t, a, "ALTER DATABASE COLLATE utf8mb4_unicode_ci")
	cfg := checkConfig{targetSettings: targetSettings{Settings: site.Settings{Dir: moodleCode(t, address), Database: &a}}}
	plan := &stage.Plan{Facts: facts(t, "2024100706.00", "4.5.6", nil), Tables: []stage.TableInfo{{Schema: tag}}}
	holdsAll(t, findings(t, "restore-collation", cfg, plan), "warning: restore-collation: the collation utf8mb4_unicode_ci may treat texts as equal that differ in the backup, in 1 unique key", "tag (name)", "collation: utf8mb4_bin")
	holdsAll(t, findings(t, "restore-engine", cfg, plan), "note: restore-engine: the site moves from PostgreSQL 15.18 to MariaDB")
	holdsAll(t, findings(t, "restore-disk-space", cfg, plan), "note: restore-disk-space: the free space of the database server is not known")
	cfg.Collation = "utf8mb4_bin"
	holdsAll(t, findings(t, "restore-collation", cfg, plan), "ok: restore-collation")
	cfg.Collation = ""
	same := tag
	same.Dialect, same.Collation = "mysql", "utf8mb4_unicode_ci"
	plan.Tables[0].Schema, plan.Facts["dialect"] = same, "mysql"
	holdsAll(t, findings(t, "restore-collation", cfg, plan), "ok: restore-collation")
	holdsAll(t, findings(t, "restore-engine", cfg, plan), "ok: restore-engine")
}

func TestForcedSettingsOfTheTargetAreListedWithoutValues(t *testing.T) {
	cfg := onSQLite(t, address+"$CFG->dataroot = '/srv/data';\n$CFG->smtppass = 'hunter2';\n$CFG->country = 'DE';\n$CFG->forced_plugin_settings = ['quiz' => ['attempts' => 3]];\n")
	text := findings(t, "restore-config", cfg, &stage.Plan{Facts: map[string]string{moodle.OverridesFact: `{"core": {"country": "DE"}}`}})
	holdsAll(t, text, "note: restore-config: config.php of the target forces 2 settings", "quiz/attempts, smtppass", "config.php:5: smtppass")
	for _, not := range []string{"hunter2", "country"} {
		if strings.Contains(text, not) {
			t.Errorf("%q in:\n%s", not, text)
		}
	}
	holdsAll(t, findings(t, "restore-config", onSQLite(t, address), &stage.Plan{}), "ok: restore-config")
	holdsAll(t, findings(t, "restore-config", onSQLite(t, address+"foreach (unknown() as $n => $v) { $CFG->$n = $v; }"), &stage.Plan{}), "warning: restore-config", "cannot be evaluated")
}

func TestPHPIsNotNeeded(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	cfg := onSQLite(t, address)
	holdsAll(t, findings(t, "restore-environment", cfg, &stage.Plan{}), "note: restore-environment: PHP is not on this machine")
	if err := os.WriteFile(filepath.Join(dir, "php"), []byte("#!/bin/sh\necho 8.3.1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	holdsAll(t, findings(t, "restore-environment", cfg, &stage.Plan{}), "ok: restore-environment: PHP 8.3.1")
}

func TestBackupWithoutFactsIsAWarning(t *testing.T) {
	holdsAll(t, findings(t, "backup-facts", onSQLite(t, address), &stage.Plan{}), "warning: backup-facts: the backup does not record the version of Moodle")
	holdsAll(t, findings(t, "backup-facts", onSQLite(t, address), &stage.Plan{Facts: facts(t, "2024100706.00", "4.5.6", nil)}), "ok: backup-facts")
}

func TestCheckThatFailsIsAWarning(t *testing.T) {
	cfg := onSQLite(t, address)
	if err := os.Remove(filepath.Join(cfg.Dir, "version.php")); err != nil {
		t.Fatal(err)
	}
	holdsAll(t, findings(t, "restore-version", cfg, &stage.Plan{Facts: facts(t, "2024100706.00", "4.5.6", nil)}), "warning: restore-version: the check could not be performed", "no version.php")
}

func TestTargetWithoutDatabaseFileIsChecked(t *testing.T) {
	missing := database.Address{Engine: "sqlite", Path: filepath.Join(t.TempDir(), "new.sqlite"), Prefix: "mdl_"}
	cfg := onSQLite(t, address)
	cfg.Database = &missing
	holdsAll(t, findings(t, "restore-engine", cfg, &stage.Plan{}), "warning: restore-engine: the target is an SQLite database")
}

func TestOnlyKnownChecksAreSkipped(t *testing.T) {
	cfg := onSQLite(t, address)
	cfg.Skip = []string{"restore-engine"}
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
	holdsAll(t, findings(t, "restore-engine", cfg, &stage.Plan{}), "note: restore-engine: database engine: skipped")
	cfg.Skip = []string{"restore-engines"}
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "skip[0] is not the ID of a check") {
		t.Errorf("%v", err)
	}
}
