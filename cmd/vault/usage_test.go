package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/cmd/vault/runcmd"
)

const small = `version: 1
source: [{use: sample, with: {files: false}}]
sink: [{use: local, with: {dir: "${dir}", create: true}}]
`

func TestUsageErrorsHaveExitCode2(t *testing.T) {
	file := written(t, "p.yaml", small)
	for _, c := range []struct {
		say  string
		env  []string
		args []string
	}{
		{`unknown command "rum"`, nil, []string{"rum"}},
		{"vault lint needs PIPELINE", nil, []string{"lint"}},
		{"vault run needs PIPELINE", nil, []string{"run"}},
		{"vault ls needs REPO", nil, []string{"ls"}},
		{"vault cat needs PATH", nil, []string{"cat", "repo"}},
		{`takes no argument "b"`, nil, []string{"run", "a", "b"}},
		{`no snapshot "nosuch"; IDs look like 2`, nil, []string{"show", "a", "nosuch"}},
		{`no snapshot ""; IDs look like 2`, nil, []string{"verify", "a", ""}},
		{"unknown flag: --wrokers", nil, []string{"run", file, "--wrokers", "3"}},
		{`--workers takes a whole number, not "abc"`, nil, []string{"run", file, "--workers", "abc"}},
		{"LMSVAULT_WORKERS", []string{"LMSVAULT_WORKERS=abc"}, []string{"run", file, "--set", "dir=x"}},
		{"from 1 to 256", nil, []string{"run", file, "--workers", "1000", "--set", "dir=x"}},
		{"from 1 to 256", nil, []string{"run", file, "--workers", "0", "--set", "dir=x"}},
		{"from 1 to 256", []string{"LMSVAULT_WORKERS=0"}, []string{"run", file, "--set", "dir=x"}},
		{"at least 128MiB", nil, []string{"run", file, "--memory", "64MiB", "--set", "dir=x"}},
		{"is not a size", nil, []string{"plan", file, "--memory", "much", "--set", "dir=x"}},
		{"--quiet, LMSVAULT_QUIET", []string{"LMSVAULT_QUIET=perhaps"}, []string{"version"}},
		{"--set takes NAME=VALUE", nil, []string{"run", file, "--set", "dir"}},
		{"--set dir is given twice", nil, []string{"run", file, "--set", "dir=a", "--set", "dir=b"}},
		{`--set dri is not used in this file`, nil, []string{"run", file, "--set", "dir=a", "--set", "dri=b"}},
		{"pass --set dir=VALUE", nil, []string{"run", file}},
		{`did you mean "view"?`, nil, []string{"run", file, "--set", "dir=a", "--accept-loss", "veiw=1"}},
		{"must be KIND=COUNT, such as view=1", nil, []string{"run", file, "--set", "dir=a", "--accept-loss", "view"}},
		{"no such file or directory", nil, []string{"run", "not-there.yaml"}},
		{"is a directory", nil, []string{"run", "."}},
		{`no stage is named "mysqll": did you mean "mysql"?`, nil, []string{"stages", "mysqll"}},
		{"can't be read", nil, []string{"version", "--config", "/not/there.yaml"}},
		{`unknown key "wrokers": did you mean "workers"?`, nil, []string{"version", "--config", written(t, "c.yaml", "wrokers: 3\n")}},
	} {
		o := vault(t, 2, c.env, c.args...)
		if !strings.Contains(o.stderr, c.say) || strings.Contains(o.stderr, "goroutine") || o.stdout != "" {
			t.Errorf("vault %s prints\n%s%s\nwant %q", strings.Join(c.args, " "), o.stdout, o.stderr, c.say)
		}
	}
}

func TestEveryCommandHasHelp(t *testing.T) {
	o := vault(t, 0, nil)
	root := newRoot(&cli.App{})
	for _, c := range root.Commands() {
		if c.Hidden {
			continue
		}
		if !strings.Contains(o.stdout, c.Name()) || c.Short == "" {
			t.Errorf("help doesn't list %s", c.Name())
		}
		if h := vault(t, 0, nil, c.Name(), "--help"); !strings.Contains(h.stdout, "Usage:") {
			t.Errorf("help of %s is %s", c.Name(), h.stdout)
		}
	}
	for _, want := range []string{"run", "recover", "plan", "lint", "snapshots", "show", "ls", "cat", "verify", "stages", "schema", "completion", "demo", "version"} {
		if !strings.Contains(o.stdout, "\n  "+want) {
			t.Errorf("no command %s in\n%s", want, o.stdout)
		}
	}
	if o := vault(t, 0, nil, "completion", "bash"); !strings.Contains(o.stdout, "complete") {
		t.Error("no completion for bash")
	}
}

func TestFlagsOverrideEnvironmentAndFile(t *testing.T) {
	config := written(t, "c.yaml", "workers: 3\nmemory: 100MiB\nquiet: true\n")
	cmd := runcmd.NewRun(&cli.App{})
	newRoot(&cli.App{}).AddCommand(cmd)
	cmd.Root().PersistentFlags().VisitAll(cmd.Flags().AddFlag)
	t.Setenv("LMSVAULT_CONFIG", config)
	t.Setenv("LMSVAULT_WORKERS", "4")
	for _, c := range []struct{ flag, workers string }{{"", "4"}, {"5", "5"}} {
		if c.flag != "" {
			if err := cmd.Flags().Set("workers", c.flag); err != nil {
				t.Fatal(err)
			}
		}
		v, err := cli.LoadSettings(cmd)
		if err != nil {
			t.Fatal(err)
		}
		if v.GetString("workers") != c.workers || v.GetString("memory") != "100MiB" || !v.GetBool("quiet") || v.GetBool("verbose") {
			t.Errorf("settings are %v", v.AllSettings())
		}
	}
}

func TestErrorIsEventWithJSON(t *testing.T) {
	o := vault(t, 2, nil, "run", "not-there.yaml", "--json")
	var e struct {
		Event, Text string
		Class       int
	}
	if err := json.Unmarshal([]byte(o.stdout), &e); err != nil || e.Event != "error" || e.Class != 2 || !strings.Contains(e.Text, "not-there.yaml") {
		t.Errorf("%v: %s", err, o.stdout)
	}
	for _, args := range [][]string{
		{"run", "--wrokers", "3", "--json"}, {"rum", "--json"}, {"run", "--json"}, {"version", "--json", "--config", "/not/there.yaml"},
		{"plan", "not-there.yaml", "--json"}, {"version", "--quiet=perhaps", "--json=true"},
	} {
		o := vault(t, 2, nil, args...)
		if err := json.Unmarshal([]byte(o.stdout), &e); err != nil || e.Event != "error" || e.Class != 2 || e.Text == "" {
			t.Errorf("%q: %v: %s", args, err, o.stdout)
		}
	}
	if !strings.HasPrefix(o.stderr, "vault: cannot read pipeline file not-there.yaml: no such file or directory\n") {
		t.Errorf("standard error has %s", o.stderr)
	}
}

func TestLintPrintsFindingsWithPositions(t *testing.T) {
	file := written(t, "p.yaml", `version: 1
source: [{use: sample}]
transform:
  - use: encrypt
    with: {passphrase: hunter2}
  - use: compress
sink: [{use: local, with: {dri: /srv/x}}]
`)
	o := vault(t, 2, nil, "lint", file)
	want := file + ":5:24: warning: passphrase is a secret, but is written in this file: write ${env:NAME} or ${file:/path} instead\n" +
		file + ":6:5: error: compress comes after encrypt, but encrypted data does not compress: put compress before encrypt\n" +
		file + ":7:27: error: dir is missing: write dir: /srv/backups\n" +
		file + ":7:28: error: unknown key \"dri\": did you mean \"dir\"?\n"
	if o.stdout != want {
		t.Errorf("lint prints\n%swant\n%s", o.stdout, want)
	}
	if !strings.Contains(o.stderr, "3 errors found in 1 file") || strings.Contains(o.stderr+o.stdout, "hunter2") {
		t.Errorf("lint prints %s", o.stderr)
	}
	o = vault(t, 2, nil, "lint", "--json", file)
	var found []struct {
		File, Severity, Message, Suggestion string
		Line, Column                        int
	}
	if err := json.Unmarshal([]byte(o.stdout), &found); err != nil || len(found) != 4 || found[3].Line != 7 || found[3].Column != 28 {
		t.Errorf("%v: %s", err, o.stdout)
	}
}

func TestLintReportsUnreadableFile(t *testing.T) {
	o := vault(t, 2, nil, "lint", "--json", "not-there.yaml", written(t, "p.yaml", "version: 1\n"))
	var found []struct{ File, Message string }
	if err := json.Unmarshal([]byte(o.stdout), &found); err != nil || len(found) != 3 || found[0].File != "not-there.yaml" || !strings.Contains(found[0].Message, "no such file") {
		t.Errorf("%v: %s", err, o.stdout)
	}
}

// With --json, plan prints one document, and demo prints events with the results in the
// last one.
func TestJSONHasOneFormPerCommand(t *testing.T) {
	// The secret in the file causes a warning, which must not be in the output.
	file := written(t, "p.yaml", strings.Replace(small, "sink:", "transform: [{use: encrypt, with: {passphrase: only a test}}]\nsink:", 1))
	o := vault(t, 0, nil, "plan", "--json", file, "--set", "dir="+t.TempDir())
	var plan struct{ Pipeline string }
	if err := json.Unmarshal([]byte(o.stdout), &plan); err != nil || plan.Pipeline != "p" || !strings.Contains(o.stderr, "warning: passphrase is a secret") {
		t.Errorf("%v: plan prints\n%s\n%s", err, o.stdout, o.stderr)
	}
	o = vault(t, 0, nil, "demo", "--json", "--dir", t.TempDir())
	var last struct {
		Event  string
		Result struct {
			Runs map[string]struct{ Exit int }
		}
	}
	for event := range strings.Lines(o.stdout) {
		if err := json.Unmarshal([]byte(event), &last); err != nil {
			t.Fatalf("%v: %s", err, event)
		}
	}
	if last.Event != "done" || len(last.Result.Runs) != 4 {
		t.Errorf("the last event is %+v", last)
	}
}

func TestReducedWorkersAreNoted(t *testing.T) {
	for _, command := range []string{"plan", "run"} {
		args := []string{command, written(t, "p.yaml", small), "--set", "dir=" + t.TempDir(), "--memory", "128MiB"}
		if o := vault(t, 0, nil, append(args, "--workers", "200")...); !strings.Contains(o.stdout, "note: workers: reduced to 2 (from 200) by the memory limit of 128MiB") {
			t.Errorf("%s prints\n%s", command, o.stdout)
		}
		if o := vault(t, 0, nil, args...); strings.Contains(o.stdout, "note: workers") {
			t.Errorf("%s prints\n%s", command, o.stdout)
		}
	}
}

func TestVerboseLogsSettingsStagesAndUnits(t *testing.T) {
	file := written(t, "p.yaml", small)
	env := []string{"LMSVAULT_MEMORY=200MiB"}
	o := vault(t, 0, env, "run", file, "--verbose", "--config", written(t, "c.yaml", "workers: 1\n"), "--set", "dir="+t.TempDir()+"/r")
	for _, want := range []string{
		`msg=setting name=memory from="environment LMSVAULT_MEMORY"`, `name=workers from="the tool's configuration"`, `name=set from="flag --set"`,
		"msg=stage role=source name=sample", "workers=1 memory=200MiB", `msg="unit done" unit=db/config`,
	} {
		if !strings.Contains(o.stderr, want) {
			t.Errorf("no %s in\n%s", want, o.stderr)
		}
	}
	if o := vault(t, 0, env, "run", file, "--set", "dir="+t.TempDir()+"/r"); strings.Contains(o.stderr, "msg=") {
		t.Errorf("without --verbose it logs\n%s", o.stderr)
	}
}
