package main

import (
	"strings"
	"testing"
)

// Errors such as an unreachable server, an unknown option or an invalid DSN do not show
// the password, even with --verbose.
func TestNoOutputShowsSecret(t *testing.T) {
	for _, stage := range []string{"mysql", "postgres"} {
		file := written(t, "p.yaml", "version: 1\nsource: [{use: "+stage+", with: {dsn: \"${env:SITE_DSN}\"}}]\n"+
			"transform: [{use: encrypt, with: {passphrase: \"${env:SITE_DSN}\"}}]\nsink: [{use: local, with: {dir: \"${dir}\"}}]\n")
		for _, dsn := range []string{
			"moodle:hunter2@tcp(127.0.0.1:1)/moodle", "postgres://moodle:hunter2@127.0.0.1:1/moodle", "postgres://moodle:hunter2@[::/moodle?sslmode=perhaps",
			"moodle:hunter2@@tcp(/moodle", "hunter2", "host=127.0.0.1 port=1 password=hunter2 user='", "moodle:hunter2@tcp(127.0.0.1:1)/moodle?tls=%zz",
		} {
			for _, command := range []string{"run", "plan", "lint"} {
				o := call{args: []string{command, file, "--set", "dir=" + t.TempDir(), "--verbose", "--json"}, env: []string{"SITE_DSN=" + dsn}}.run(t)
				if strings.Contains(o.stdout+o.stderr, "hunter2") {
					t.Errorf("%s with %s prints\n%s\n%s", command, dsn, o.stdout, o.stderr)
				}
				if command != "lint" && (o.code != 2 && o.code != 3 || strings.Contains(o.stderr, "goroutine")) {
					t.Errorf("%s %s with %s: exit code %d\n%s", command, stage, dsn, o.code, o.stderr)
				}
			}
		}
	}
}

func TestDSNOfOtherEngineIsReported(t *testing.T) {
	for stage, c := range map[string]struct{ dsn, say string }{
		"mysql":    {"postgres://moodle:hunter2@db/moodle", "write use: postgres"},
		"postgres": {"moodle:hunter2@tcp(db:3306)/moodle", "write use: mysql"},
	} {
		file := written(t, "p.yaml", "version: 1\nsource: [{use: "+stage+", with: {dsn: \"${env:SITE_DSN}\"}}]\nsink:\n  - {use: local, with: {dir: /srv/x}}\n"+
			"  - {use: "+stage+", with: {dsn: \"${env:SITE_DSN}\", prefix: copy_}}\n")
		o := vault(t, 2, []string{"SITE_DSN=" + c.dsn}, "lint", file)
		if strings.Count(o.stdout, c.say) != 2 || !strings.Contains(o.stdout, ":2:") || strings.Contains(o.stdout, "hunter2") {
			t.Errorf("%s: lint prints\n%s", stage, o.stdout)
		}
	}
}

func TestLintReportsOverlappingLocations(t *testing.T) {
	file := written(t, "p.yaml", `version: 1
source:
  - {use: dataroot, with: {dir: /var/moodledata}}
  - {use: mysql, with: {dsn: "${env:SITE_DSN}"}}
sink:
  - {use: local, with: {dir: /var/moodledata/backups}}
  - {use: mysql, with: {dsn: "${env:SITE_DSN}"}}
  - {use: sqlite, with: {path: /var/moodledata/site.sqlite}}
`)
	o := call{args: []string{"lint", file}, env: []string{"SITE_DSN=u:p@tcp(db)/moodle"}}.run(t)
	for _, want := range []string{":6:30: error: local writes into the directory", ":7:30: error: mysql would write into the tables", ":8:32: error: sqlite writes into the directory"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("no %q in\n%s", want, o.stdout)
		}
	}
}
