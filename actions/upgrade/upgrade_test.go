package upgrade_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver sqlite

	"github.com/lmsvault/vault/actions/upgrade"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/site"
	"github.com/lmsvault/vault/internal/machine"
)

// TestMain is the fake program php if FAKE_PHP names the file that it appends to: what it
// was called with, and the config.php that it found. It then sets the version in the
// database to that of the code in its working directory.
func TestMain(m *testing.M) {
	if to := os.Getenv("FAKE_PHP"); to != "" {
		if err := php(to, os.Getenv("FAKE_DB")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println("Command line upgrade completed successfully.")
		os.Exit(0)
	}
	machine.Ordinary()
	os.Exit(m.Run())
}

var number = regexp.MustCompile(`\$version = ([0-9.]+)`)

func php(to, db string) error {
	info, err := os.Stat("config.php")
	if err != nil {
		return err
	}
	s, err := siteconfig.Read(context.Background(), ".", siteconfig.Options{})
	if err != nil {
		return err
	}
	d, err := s.Database()
	if err != nil {
		return err
	}
	root, err := s.DataRoot()
	if err != nil {
		return err
	}
	address, err := s.WWWRoot()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	fmt.Fprintf(f, "%q mode %o database %s prefix %s dataroot %s wwwroot %s\n", os.Args[1:], info.Mode(), d.Path, d.Prefix, root, address)
	if err := f.Close(); err != nil {
		return err
	}
	version, err := os.ReadFile("version.php")
	if err != nil {
		return err
	}
	if bytes.Contains(version, []byte("fails")) {
		return fmt.Errorf("!!! the upgrade fails !!!")
	}
	if bytes.Contains(version, []byte("lies")) {
		return nil
	}
	conn, err := sql.Open("sqlite", db)
	if err != nil {
		return err
	}
	defer conn.Close()
	release := regexp.MustCompile(`\$release = '([^']+)'`).FindSubmatch(version)
	_, err = conn.Exec("UPDATE mdl_config SET value = CASE name WHEN 'version' THEN ? ELSE ? END WHERE name IN ('version', 'release')", string(number.FindSubmatch(version)[1]), string(release[1]))
	return err
}

// write creates files below a directory.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// code writes the code of a release that upgrades from another one.
func code(t *testing.T, dir, version, release, requires string) string {
	t.Helper()
	write(t, dir, map[string]string{
		"version.php":           fmt.Sprintf("<?php $version = %s; $release = '%s (Build: 20250101)'; $branch = '405';", version, release),
		"lib/components.json":   `{"plugintypes": {"mod": "mod"}, "subsystems": {}}`,
		"lib/plugins.json":      `{"standard": {}, "deleted": {}}`,
		"lib/setup.php":         "<?php",
		"admin/environment.xml": fmt.Sprintf(`<COMPATIBILITY_MATRIX><MOODLE version="%s" requires="%s"></MOODLE></COMPATIBILITY_MATRIX>`, release, requires),
		"admin/cli/upgrade.php": "<?php",
	})
	return dir
}

// place is a site with data of a release and code of Moodle 4.5, and a fake php.
type place struct{ dir, php, calls, db string }

func newPlace(t *testing.T, version, release string) place {
	t.Helper()
	dir := t.TempDir()
	p := place{dir: code(t, filepath.Join(dir, "own code"), "2024100706.00", "4.5.6", "4.1.2"), php: filepath.Join(dir, "php"), calls: filepath.Join(dir, "calls"), db: filepath.Join(dir, "it's.sqlite")}
	write(t, dir, map[string]string{"data/x": ""})
	write(t, p.dir, map[string]string{"config.php": `<?php unset($CFG); $CFG = new stdClass(); $CFG->dbtype = 'sqlite3'; $CFG->dboptions = ['file' => '` + strings.ReplaceAll(p.db, "'", `\'`) + `'];
$CFG->prefix = 'mdl_'; $CFG->wwwroot = 'https://moodle.example.org'; $CFG->dataroot = '` + dir + `/data'; require_once(__DIR__ . '/lib/setup.php');`})
	conn, err := sql.Open("sqlite", p.db)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, statement := range []string{
		"CREATE TABLE mdl_config (id INTEGER PRIMARY KEY, name TEXT, value TEXT)", "CREATE TABLE mdl_config_plugins (id INTEGER PRIMARY KEY, plugin TEXT, name TEXT, value TEXT)",
		"INSERT INTO mdl_config (name, value) VALUES ('version', '" + version + "'), ('release', '" + release + "')",
	} {
		if _, err := conn.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\nFAKE_PHP='" + p.calls + "' FAKE_DB=\"" + p.db + "\" exec '" + self + "' \"$@\"\n"
	if err := os.WriteFile(p.php, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p place) run(t *testing.T, c upgrade.Config, r stage.ActionRequest) stage.ActionReport {
	t.Helper()
	report, err := p.try(t, t.Context(), c, r)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func (p place) try(t *testing.T, ctx context.Context, c upgrade.Config, r stage.ActionRequest) (stage.ActionReport, error) {
	t.Helper()
	c.Settings.Dir = p.dir
	if c.PHP == "" {
		c.PHP = p.php
	}
	if c.Timeout == 0 {
		c.Timeout = config.Duration(time.Minute)
	}
	a, err := upgrade.Stage().NewAction(ctx, &c, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := a.Run(ctx, r)
	if bad := report.Validate(); bad != nil {
		t.Fatal(bad)
	}
	return report, err
}

var after = stage.ActionRequest{Moment: stage.MomentAfter}

// read returns the calls of the fake php.
func (p place) read(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(p.calls)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}

func TestSaysTheCommand(t *testing.T) {
	p := newPlace(t, "2023042400.00", "4.2 (Build: 20230424)")
	r := p.run(t, upgrade.Config{PHP: "php"}, after)
	f := r.Findings[0]
	if len(r.Findings) != 1 || f.Level != stage.LevelWarning || !strings.Contains(f.What, "from 2023042400 to 2024100706: core") || !strings.HasSuffix(f.Remedy, "php '"+p.dir+"/admin/cli/upgrade.php' --non-interactive") {
		t.Errorf("%v", r.Findings)
	}
	if p.read(t) != "" {
		t.Error("php was run")
	}
}

func TestNoUpgradeIsNeeded(t *testing.T) {
	p := newPlace(t, "2024100706.00", "4.5.6 (Build: 20250811)")
	if r := p.run(t, upgrade.Config{Run: true}, after); len(r.Findings) != 1 || r.Findings[0].What != "Moodle needs no upgrade" || p.read(t) != "" {
		t.Errorf("%v", r.Findings)
	}
	p = newPlace(t, "2025100706.00", "5.1 (Build: 20250811)")
	if r := p.run(t, upgrade.Config{Run: true}, after); r.Level() != stage.LevelFail || !strings.Contains(r.Findings[0].What, "older than its data: core") {
		t.Errorf("older code: %v", r.Findings)
	}
}

func TestRunsTheUpgradeOfTheSite(t *testing.T) {
	p := newPlace(t, "2023042400.00", "4.2 (Build: 20230424)")
	for _, r := range []stage.ActionRequest{{Moment: stage.MomentAfter, DryRun: true}, {Moment: stage.MomentPlanned, Plan: &stage.Plan{Facts: map[string]string{moodle.VersionFact: "2023042400", moodle.ReleaseFact: "4.2", moodle.PluginsFact: "{}"}}}} {
		if report := p.run(t, upgrade.Config{Run: true}, r); report.Level() != stage.LevelNote || !strings.Contains(report.Findings[1].What, "would run the upgrade by Moodle 4.5.6") || p.read(t) != "" {
			t.Errorf("%s: %v", r.Moment, report.Findings)
		}
	}
	r := p.run(t, upgrade.Config{Run: true}, after)
	if r.Level() != stage.LevelNote || len(r.Findings) != 2 || !strings.HasPrefix(r.Findings[1].What, "upgraded to Moodle 4.5.6") || !strings.Contains(r.Findings[1].Details, "completed successfully") {
		t.Errorf("%v", r.Findings)
	}
	want := fmt.Sprintf("[%q \"--non-interactive\"]", filepath.Join(p.dir, "admin/cli/upgrade.php"))
	if calls := p.read(t); !strings.HasPrefix(calls, want) || strings.Count(calls, "\n") != 1 {
		t.Errorf("the calls are %s", calls)
	}
	if r = p.run(t, upgrade.Config{Run: true}, after); r.Findings[0].What != "Moodle needs no upgrade" {
		t.Errorf("again: %v", r.Findings)
	}
}

func TestWalksThroughReleasesInBetween(t *testing.T) {
	p := newPlace(t, "2020061500.00", "3.9 (Build: 20200615)")
	parent := filepath.Dir(p.dir)
	late, early := code(t, filepath.Join(parent, "later"), "2022112800.00", "4.1.2", "3.9"), code(t, filepath.Join(parent, "early"), "2021051700.00", "3.11", "3.6")
	old := code(t, filepath.Join(parent, "old"), "2019052000.00", "3.7", "3.2")
	c := upgrade.Config{Run: true, Via: []string{late, old, early}}
	if r := p.run(t, upgrade.Config{Run: true}, after); r.Level() != stage.LevelFail || !strings.Contains(r.Findings[1].What, "can't upgrade data of Moodle 3.9") || !strings.Contains(r.Findings[1].What, "only of 4.1.2 or later; list directories") {
		t.Errorf("without them: %v", r.Findings)
	}
	if p.read(t) != "" {
		t.Error("an impossible upgrade was begun")
	}
	r := p.run(t, c, after)
	if r.Level() != stage.LevelNote || len(r.Findings) != 4 {
		t.Fatalf("%v", r.Findings)
	}
	lines := strings.Split(p.read(t), "\n")
	for i, dir := range []string{early, late, p.dir} {
		if want := fmt.Sprintf("[%q \"--non-interactive\"] mode 600 database %s prefix mdl_ dataroot %s wwwroot https://moodle.example.org", dir+"/admin/cli/upgrade.php", p.db, filepath.Join(parent, "data")); lines[i] != want {
			t.Errorf("call %d is %s\nwant %s", i+1, lines[i], want)
		}
	}
	for _, dir := range []string{early, late} {
		if _, err := os.Stat(filepath.Join(dir, "config.php")); err == nil {
			t.Errorf("config.php is left in %s", dir)
		}
	}
}

func TestConfigPHPOfOthersIsNeverReplaced(t *testing.T) {
	p := newPlace(t, "2020061500.00", "3.9 (Build: 20200615)")
	via := code(t, filepath.Join(filepath.Dir(p.dir), "via"), "2022112800.00", "4.1.2", "3.9")
	write(t, via, map[string]string{"config.php": "<?php // another site"})
	if r := p.run(t, upgrade.Config{Run: true, Via: []string{via}}, after); r.Level() != stage.LevelFail || !strings.Contains(r.Findings[1].What, "config.php exists, and is never replaced") {
		t.Errorf("%v", r.Findings)
	}
	if data, err := os.ReadFile(filepath.Join(via, "config.php")); err != nil || string(data) != "<?php // another site" {
		t.Errorf("%q, %v", data, err)
	}
}

// An upgrade that fails, or that changes nothing, ends the walk.
func TestFailedUpgradeIsFound(t *testing.T) {
	for word, want := range map[string]string{"fails": "the upgrade to Moodle 4.1.2 (Build: 20250101) failed: php exited with code 1", "lies": "ended without an error, but the database has version 2020061500 instead of 2022112800"} {
		p := newPlace(t, "2020061500.00", "3.9 (Build: 20200615)")
		via := code(t, filepath.Join(filepath.Dir(p.dir), "via"), "2022112800.00", "4.1.2", "3.9")
		write(t, via, map[string]string{"version.php": "<?php $version = 2022112800.00; $release = '4.1.2 (Build: 20250101)'; $branch = '401'; // " + word})
		r := p.run(t, upgrade.Config{Run: true, Via: []string{via}}, after)
		if r.Level() != stage.LevelFail || len(r.Findings) != 2 || !strings.Contains(r.Findings[1].What, want) || strings.Count(p.read(t), "\n") != 1 {
			t.Errorf("%s: %v", word, r.Findings)
		}
		if _, err := os.Stat(filepath.Join(via, "config.php")); err == nil {
			t.Error("config.php is left")
		}
	}
}

func TestInterruptedUpgradeLeavesNoConfigPHP(t *testing.T) {
	p := newPlace(t, "2020061500.00", "3.9 (Build: 20200615)")
	via := code(t, filepath.Join(filepath.Dir(p.dir), "via"), "2022112800.00", "4.1.2", "3.9")
	if err := os.WriteFile(p.php, []byte("#!/bin/sh\necho here > '"+p.calls+"'; sleep 300 & wait"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for range 500 {
			if _, err := os.Stat(p.calls); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	if _, err := p.try(t, ctx, upgrade.Config{Run: true, Via: []string{via}}, after); err == nil || !strings.Contains(err.Error(), "php was ended: context canceled") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(via, "config.php")); err == nil {
		t.Error("config.php is left")
	}
}

func TestMissingPHPIsAWarning(t *testing.T) {
	p := newPlace(t, "2023042400.00", "4.2 (Build: 20230424)")
	if r := p.run(t, upgrade.Config{Run: true, PHP: "surely-no-php"}, after); r.Level() != stage.LevelWarning || !strings.Contains(r.Findings[1].String(), "can't be run here: surely-no-php is not found") {
		t.Errorf("%v", r.Findings)
	}
}

// As root, the upgrade is run as the owner of config.php.
func TestRunsAsTheOwner(t *testing.T) {
	machine.Root(t, "become another user")
	const nobody = 65534
	p := newPlace(t, "2023042400.00", "4.2 (Build: 20230424)")
	if err := os.Chown(filepath.Join(p.dir, "config.php"), nobody, nobody); err != nil {
		t.Fatal(err)
	}
	parent := filepath.Dir(p.dir)
	for path, mode := range map[string]os.FileMode{filepath.Dir(parent): 0o711, parent: 0o777, p.dir: 0o711} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(p.php, []byte("#!/bin/sh\nid -u > '"+p.calls+"'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(p.php, 0o755); err != nil {
		t.Fatal(err)
	}
	if r := p.run(t, upgrade.Config{PHP: "php"}, after); !strings.Contains(r.Findings[0].Remedy, "sudo -u nobody php ") {
		t.Errorf("%v", r.Findings)
	}
	r := p.run(t, upgrade.Config{Run: true}, after)
	if got := strings.TrimSpace(p.read(t)); got != "65534" {
		t.Errorf("it ran as %q: %v", got, r.Findings)
	}
}

// Where config.php names another database than the restored one, its upgrade would change
// the wrong data.
func TestUpgradeOfAnotherDatabaseIsNotRun(t *testing.T) {
	p, other := newPlace(t, "2023042400.00", "4.2 (Build: 20230424)"), newPlace(t, "2023042400.00", "4.2 (Build: 20230424)")
	c := upgrade.Config{Run: true, Settings: site.Settings{Database: &database.Address{Engine: "sqlite", Path: other.db, Prefix: "mdl_"}}}
	if r := p.run(t, c, after); r.Level() != stage.LevelWarning || !strings.HasPrefix(r.Findings[0].Remedy, "config.php names another database than the restored one; write") || p.read(t) != "" {
		t.Errorf("%v", r.Findings)
	}
	if err := os.Remove(p.db); err != nil {
		t.Fatal(err)
	}
	if r := p.run(t, c, after); r.Level() != stage.LevelWarning || !strings.HasPrefix(r.Findings[0].Remedy, "the database that config.php names can't be reached: ") || p.read(t) != "" {
		t.Errorf("a missing database: %v", r.Findings)
	}
	p = newPlace(t, "2023042400.00", "4.2 (Build: 20230424)")
	c.Database.Path = p.db
	if r := p.run(t, c, after); r.Level() != stage.LevelNote || p.read(t) == "" {
		t.Errorf("the same database: %v", r.Findings)
	}
}
