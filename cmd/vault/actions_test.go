package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/stage"
)

// acting writes a pipeline that copies a sample site to SQLite, with these actions.
func acting(t *testing.T, actions string) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	file = filepath.Join(dir, "p.yaml")
	text := "version: 1\n" + actions + "source: [{use: sample, with: {files: false}}]\nsink: [{use: sqlite, with: {path: site.sqlite}}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

func there(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// Actions can enable maintenance mode for a run and disable it afterwards.
func TestActionsRunBeforeAndAfter(t *testing.T) {
	dir, file := acting(t, `before: [{use: command, name: maintenance-on, with: {argv: [sh, -c, "echo closed > maintenance; echo on since now"]}}]
after:
  - {use: command, name: maintenance-off, when: always, with: {argv: [rm, maintenance]}}
  - {use: command, name: tell, with: {argv: [sh, -c, 'test -f site.sqlite && echo "$LMSVAULT_RUN_STATUS $LMSVAULT_RUN_PIPELINE" > told']}}
  - {use: command, name: alarm, when: failure, with: {argv: [touch, alarm]}}
`)
	plan := vault(t, 0, nil, "plan", file)
	if there(dir, "maintenance") || !strings.Contains(plan.stdout, "before maintenance-on: ok: dry-run: would run sh") {
		t.Errorf("the plan is\n%s", plan.stdout)
	}
	o := vault(t, 0, nil, "run", file, "--dry-run")
	if there(dir, "told") || there(dir, "maintenance") || !strings.Contains(o.stdout, "after maintenance-off: ok: dry-run: would run rm") {
		t.Errorf("the dry run prints\n%s", o.stdout)
	}
	o = vault(t, 0, nil, "run", file)
	told, err := os.ReadFile(filepath.Join(dir, "told"))
	if err != nil || string(told) != "success p\n" || there(dir, "maintenance") || there(dir, "alarm") {
		t.Errorf("the actions wrote %q, %v", told, err)
	}
	for _, want := range []string{"before maintenance-on: ok\n", "after maintenance-off: ok\n", "after tell: ok\n"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("no %q in\n%s", want, o.stdout)
		}
	}
	if strings.Contains(o.stdout, "alarm") {
		t.Errorf("an action that did not run is shown:\n%s", o.stdout)
	}
}

func TestFailedActionBeforeRefusesRun(t *testing.T) {
	dir, file := acting(t, `before: [{use: command, name: room, with: {argv: [sh, -c, "echo only 3 MiB; exit 1"]}}]
after: [{use: command, name: alarm, when: failure, with: {argv: [sh, -c, 'echo "$LMSVAULT_RUN_STATUS $LMSVAULT_RUN_EXIT" > alarm']}}]
`)
	o := vault(t, 3, nil, "run", file)
	alarm, err := os.ReadFile(filepath.Join(dir, "alarm"))
	if err != nil || string(alarm) != "failure 3\n" || there(dir, "site.sqlite") {
		t.Errorf("the alarm is %q, %v", alarm, err)
	}
	if !strings.Contains(o.stdout, "before room: fail: exit: sh exited with code 1") || !strings.Contains(o.stdout, "    only 3 MiB\n") || !strings.Contains(o.stderr, "action room: exit: sh exited with code 1") {
		t.Errorf("got\n%s\n%s", o.stdout, o.stderr)
	}
}

// The backup is kept, and scripts can distinguish this from a failed backup.
func TestFailedActionAfterHasOwnExitCode(t *testing.T) {
	dir, file := acting(t, "after: [{use: command, with: {argv: [sh, -c, 'echo no network; exit 7']}}]\n")
	text := vault(t, 5, nil, "run", file)
	for _, want := range []string{"done (but an action failed afterwards) in ", "verified: sqlite: "} {
		if !strings.Contains(text.stdout, want) {
			t.Errorf("no %q in\n%s", want, text.stdout)
		}
	}
	if err := os.Remove(filepath.Join(dir, "site.sqlite")); err != nil {
		t.Fatal(err)
	}
	o := vault(t, 5, nil, "run", file, "--json")
	if !there(dir, "site.sqlite") {
		t.Error("the backup is gone")
	}
	var action *stage.ActionResult
	var result run.Result
	for line := range strings.Lines(o.stdout) {
		var e struct {
			Event  string
			Action *stage.ActionResult
			Result json.RawMessage
			Class  int
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Action != nil {
			action = e.Action
		}
		if e.Event == "error" && e.Class != 5 {
			t.Errorf("the last event has class %d", e.Class)
		}
		if len(e.Result) > 0 {
			if err := json.Unmarshal(e.Result, &result); err != nil {
				t.Fatal(err)
			}
		}
	}
	if action == nil || action.Name != "command" || action.Level != stage.LevelFail || action.Findings[0].Details != "no network\n" {
		t.Errorf("the event is %+v", action)
	}
	if result.Exit != 5 || len(result.Actions) != 1 || len(result.Tables) == 0 {
		t.Errorf("the result is of %d with %+v", result.Exit, result.Actions)
	}
}

// Secrets in the output of a program are hidden in text, JSON and the log file.
func TestOutputOfActionsShowsNoSecret(t *testing.T) {
	dir, file := acting(t, `before: [{use: command, with: {argv: [sh, -c, "echo the token is $TOKEN and ${env:OTHER}; exit 1"], env: {TOKEN: "${env:HOLDS}"}}}]
`)
	env := []string{"HOLDS=S3CRET-CANARY", "OTHER=other-canary-word"}
	for _, args := range [][]string{{"run", file, "--verbose"}, {"run", file, "--json"}, {"plan", file, "--json"}, {"run", file, "--log-file", filepath.Join(dir, "log")}} {
		o := call{args: args, env: env}.run(t)
		log, err := os.ReadFile(filepath.Join(dir, "log"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if all := strings.ToLower(o.stdout + o.stderr + string(log)); strings.Contains(all, "canary") || args[0] == "run" && !strings.Contains(all, "the token is *** and ***") {
			t.Errorf("vault %s prints\n%s", strings.Join(args, " "), all)
		}
	}
}

// Ctrl-C ends the program of a running action, and the actions after the run reopen the
// site.
func TestInterruptedRunRunsActionsAfter(t *testing.T) {
	dir, file := acting(t, `before:
  - {use: command, name: close, with: {argv: [touch, closed]}}
  - {use: command, name: wait, with: {argv: [sh, -c, "touch waits; sleep 300"]}}
after:
  - {use: command, name: open, when: always, with: {argv: [sh, -c, 'rm closed; echo "$LMSVAULT_RUN_EXIT" > opened']}}
  - {use: command, name: tell, with: {argv: [touch, told]}}
`)
	cmd := call{args: []string{"run", file}}.command(t)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for i := 0; !there(dir, "waits"); i++ {
		if i == 3000 {
			t.Fatal("the action did not start")
		}
		time.Sleep(10 * time.Millisecond)
	}
	begin := time.Now()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	opened, bad := os.ReadFile(filepath.Join(dir, "opened"))
	if code := cmd.ProcessState.ExitCode(); code != 130 || bad != nil || string(opened) != "130\n" || there(dir, "closed") || there(dir, "told") {
		t.Errorf("exit code %d (%v), opened %q, %v\n%s%s", code, err, opened, bad, stdout.String(), stderr.String())
	}
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
	if !strings.Contains(stdout.String(), "after open: ok\n") || strings.Contains(stderr.String(), "action wait: sh was ended") {
		t.Errorf("got\n%s%s", stdout.String(), stderr.String())
	}
}
