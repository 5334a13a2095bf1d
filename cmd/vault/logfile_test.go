package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lmsvault/vault/core/progress"
)

const logged = "version: 1\nsource: [{use: sample, with: {files: false, db_bytes: 1MiB}}]\nsink: [{use: sqlite, with: {path: \"${dir}/site.sqlite\"}}]\n"

// events reads the events of a log file.
func events(t *testing.T, path string) (all []progress.Event) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for s := bufio.NewScanner(strings.NewReader(string(text))); s.Scan(); {
		var e progress.Event
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v", s.Text(), err)
		}
		all = append(all, e)
	}
	return all
}

// A log file gets all events and the result of a run, in addition to the normal output.
// The next run is appended.
func TestLogFileHasEventsOfEveryRun(t *testing.T) {
	log, file := filepath.Join(t.TempDir(), "vault.log"), written(t, "p.yaml", logged)
	for _, flags := range [][]string{nil, {"--quiet"}, {"--json"}} {
		o := vault(t, 0, nil, append([]string{"run", file, "--set", "dir=" + t.TempDir(), "--log-file", log}, flags...)...)
		if flags == nil && (!strings.Contains(o.stderr, "prove") || strings.Contains(o.stderr, "{")) {
			t.Errorf("standard error has %s", o.stderr)
		}
	}
	runs, steps := map[string]int64{}, map[string]bool{}
	done := 0
	for _, e := range events(t, log) {
		if e.Kind != progress.Moving && e.Seq <= runs[e.Run] || e.Time.IsZero() {
			t.Errorf("event %+v comes after number %d", e, runs[e.Run])
		}
		runs[e.Run] = e.Seq
		if e.Kind == progress.StepOpen {
			steps[e.Target+": "+e.Step] = true
		}
		if e.Kind == progress.Done && e.Result != nil {
			done++
		}
	}
	if len(runs) != 3 || done != 3 {
		t.Errorf("the log has %d runs and %d results", len(runs), done)
	}
	if !steps["sqlite: reading back user"] || !steps["sqlite: publishing"] {
		t.Errorf("the steps are %v", steps)
	}
	file = written(t, "bad.yaml", strings.Replace(logged, "db_bytes: 1MiB", "prefix_of_nothing: 1", 1))
	failed := filepath.Join(t.TempDir(), "failed.log")
	vault(t, 2, nil, "run", file, "--set", "dir="+t.TempDir(), "--log-file", failed)
	if all := events(t, failed); len(all) != 1 || all[0].Kind != progress.Failed || all[0].Class != 2 {
		t.Errorf("failed run: the log has %+v", all)
	}
}

// A log file on a full disk does not fail a backup.
func TestUnwritableLogFileIsNote(t *testing.T) {
	o := vault(t, 0, nil, "run", written(t, "p.yaml", logged), "--set", "dir="+t.TempDir(), "--log-file", "/dev/full")
	if !strings.Contains(o.stdout, "could not be written to /dev/full: ") {
		t.Errorf("got %s", o.stdout)
	}
	vault(t, 2, nil, "run", written(t, "p.yaml", logged), "--set", "dir="+t.TempDir(), "--log-file", filepath.Join(t.TempDir(), "missing", "log"))
}

// A run must not wait for a reader that may never come.
func TestLogFileRefusesPipeWithoutReader(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	o := vault(t, 2, nil, "run", written(t, "p.yaml", logged), "--set", "dir="+t.TempDir(), "--log-file", pipe)
	if !strings.Contains(o.stderr, "--log-file: open "+pipe) {
		t.Errorf("got %s", o.stderr)
	}
}
