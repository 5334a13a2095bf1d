package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/sources/sample"
)

// aSite is a sample site with code and config.php.
type aSite struct{ code, database, dataroot string }

func siteAt(t *testing.T, address string) aSite {
	t.Helper()
	dir := t.TempDir()
	s := aSite{code: filepath.Join(dir, "code"), database: filepath.Join(dir, "site.sqlite"), dataroot: filepath.Join(dir, "moodledata")}
	code := sample.Code{Dir: s.code, Address: address, Database: s.database, Dataroot: s.dataroot, Prefix: "mdl_"}
	if err := code.Write(); err != nil {
		t.Fatal(err)
	}
	return s
}

// replaces runs a pipeline that restores a backup over a site, and returns what is printed.
func (s aSite) replaces(t *testing.T, repository, settings string, args ...string) (text string, code int) {
	t.Helper()
	p := pipelineFile(t, fmt.Sprintf("version: 1\nsource: [{use: local, with: {dir: %s}}]\nsink:\n  - use: moodle\n    with: {dir: %s, replace: true%s}\n", repository, s.code, settings))
	out := vault(t, nil, append([]string{"run", p}, args...)...)
	return out.stdout + out.stderr, out.code
}

// A site is replaced only if it allows it, if a person confirms it, and if it is the one
// that is meant. Until then it stays as it is.
func TestRestoreReplacesOnlyTheSiteThatIsMeant(t *testing.T) {
	t.Parallel()
	original := siteAt(t, sample.Address)
	must(t, nil, "run", pipelineFile(t, fmt.Sprintf("version: 1\nsource: [{use: sample, with: {file_count: 10}}]\nsink: [{use: sqlite, with: {path: %s}}, {use: files, with: {dir: %s/filedir}}, {use: dataroot, with: {dir: %[2]s}}]\n", original.database, original.dataroot)))
	repository := filepath.Join(t.TempDir(), "repository")
	must(t, nil, "run", pipelineFile(t, fmt.Sprintf("version: 1\nsource: [{use: moodle, with: {dir: %s}}]\nsink: [{use: local, with: {dir: %s, create: true}}]\n", original.code, repository)))

	target := siteAt(t, sample.Address)
	if text, code := target.replaces(t, repository, ""); code != 0 {
		t.Fatalf("an empty target needs permission: exit %d\n%s", code, text)
	}
	mark := func() { // tells whether the site is replaced
		execute(t, sqliteAt(t, target.database).SQL, "UPDATE mdl_course SET fullname = 'Changed since' WHERE category = 0")
	}
	mark()
	expect := func(t *testing.T, replaced bool, settings string, args []string, want ...string) {
		t.Helper()
		text, code := target.replaces(t, repository, settings, args...)
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%q is missing in:\n%s", part, text)
			}
		}
		var name string
		if err := sqliteAt(t, target.database).SQL.QueryRow("SELECT fullname FROM mdl_course WHERE category = 0").Scan(&name); err != nil {
			t.Fatal(err)
		}
		if (code == 0) != replaced || (name != "Changed since") != replaced {
			t.Errorf("exit %d, and the site is %q:\n%s", code, name, text)
		}
	}
	allow := []string{"--allow-restore"}
	expect(t, false, "", nil, "restore-permission: the target holds a site that does not allow restores", "--allow-restore")
	expect(t, false, "", allow, "give --yes", "The backup replaces what is in the target.", "address     "+sample.Address, "name        Changed since", target.dataroot)
	config := filepath.Join(target.code, "config.php")
	php, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	forbidden := strings.Replace(string(php), "require_once", "$CFG->forced_plugin_settings['tool_vault']['allowrestore'] = 0;\nrequire_once", 1)
	writeFile(t, config, forbidden)
	expect(t, false, "", []string{"--allow-restore", "--yes"}, "config.php of the target forbids restores")
	writeFile(t, config, string(php))
	expect(t, true, "", []string{"--allow-restore", "--yes"}, "before moodle/restore-guard: ok (2 findings)")

	execute(t, sqliteAt(t, target.database).SQL, "UPDATE mdl_config SET value = 'another-site' WHERE name = 'siteidentifier'",
		"INSERT INTO mdl_config_plugins (plugin, name, value) VALUES ('tool_vault', 'allowrestore', '1')")
	mark()
	expect(t, false, "", []string{"--yes"}, "the site identifiers differ", "replace_site: "+sample.Address, "identifier  another-site")
	expect(t, false, ", replace_site: some-site", []string{"--yes"}, "replace_site is some-site, but the target is "+sample.Address+" or another-site")
	expect(t, true, ", replace_site: another-site", []string{"--yes"}, "before moodle/restore-guard: ok (2 findings)")
}

// A site moves to another database, and its config.php follows on request.
func TestConfigFollowsTheDatabase(t *testing.T) {
	t.Parallel()
	s := siteAt(t, sample.Address)
	must(t, nil, "run", pipelineFile(t, fmt.Sprintf("version: 1\nsource: [{use: sample, with: {file_count: 10}}]\nsink: [{use: sqlite, with: {path: %s}}, {use: files, with: {dir: %s/filedir}}, {use: dataroot, with: {dir: %[2]s}}]\n", s.database, s.dataroot)))
	moved := filepath.Join(t.TempDir(), "moved.sqlite")
	out := must(t, nil, "run", pipelineFile(t, fmt.Sprintf(`version: 1
source: [{use: moodle, with: {dir: %[1]s, parts: [db]}}]
sink: [{use: moodle, with: {dir: %[1]s, parts: [db], database: {engine: sqlite, path: %[2]s}, write_config: true}}]
`, s.code, moved)))
	if php := readFile(t, filepath.Join(s.code, "config.php")); !strings.Contains(php, "'file' => '"+moved+"'") {
		t.Errorf("config.php is\n%s\n%s", php, out.stdout)
	}
	if php := readFile(t, filepath.Join(s.code, "config.php.vault-before")); !strings.Contains(php, s.database) {
		t.Errorf("the old config.php is\n%s", php)
	}
	var rows int
	if err := sqliteAt(t, moved).SQL.QueryRow("SELECT COUNT(*) FROM mdl_user").Scan(&rows); err != nil || rows == 0 {
		t.Errorf("%d users (%v)", rows, err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
