package command_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/actions/command"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// run decodes the settings and runs the action.
func run(ctx context.Context, t *testing.T, settings string, r stage.ActionRequest) (stage.ActionReport, error) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(settings), &doc); err != nil {
		t.Fatal(err)
	}
	s := command.Stage()
	cfg := s.Config()
	d := config.Decoder{File: "f", Values: config.Values{Dir: t.TempDir()}}
	if err := d.Decode(doc.Content[0], cfg).Err(); err != nil {
		t.Fatal(err)
	}
	a, err := s.NewAction(t.Context(), cfg, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return a.Run(ctx, r)
}

func one(t *testing.T, r stage.ActionReport, err error) stage.ActionFinding {
	t.Helper()
	if err != nil || len(r.Findings) != 1 || r.Validate() != nil {
		t.Fatalf("%+v, %v, %v", r, err, r.Validate())
	}
	return r.Findings[0]
}

func TestExitCodeDeterminesLevel(t *testing.T) {
	for code, want := range map[int]stage.Level{0: stage.LevelOK, 1: stage.LevelFail, 77: stage.LevelFail} {
		r, err := run(t.Context(), t, fmt.Sprintf("argv: [sh, -c, 'echo out; echo err >&2; exit %d']", code), stage.ActionRequest{})
		f := one(t, r, err)
		if f.ID != "exit" || f.Level != want || !strings.HasPrefix(f.What, fmt.Sprintf("sh exited with code %d after ", code)) || f.Details != "out\nerr\n" {
			t.Errorf("code %d gives %+v", code, f)
		}
	}
	r, err := run(t.Context(), t, "argv: [sh, -c, 'kill -9 $$']", stage.ActionRequest{})
	if f := one(t, r, err); f.Level != stage.LevelFail || !strings.HasPrefix(f.What, "sh was ended by signal 9 (killed)") {
		t.Errorf("a signal gives %+v", f)
	}
}

func TestMissingProgramIsError(t *testing.T) {
	for program, want := range map[string]string{
		"surely-no-program": "starting surely-no-program: executable file not found in $PATH",
		"/nowhere/at/all":   "starting all: no such file or directory",
		"./plain":           "starting plain: no such file or directory",
	} {
		if r, err := run(t.Context(), t, "argv: ["+program+"]", stage.ActionRequest{}); err == nil || err.Error() != want || len(r.Findings) > 0 {
			t.Errorf("%s gives %+v, %v", program, r, err)
		}
	}
}

// Arguments are not interpreted by a shell. The environment is limited to the configured
// variables and has none of vault's own secrets.
func TestProgramGetsOnlyConfiguredArgumentsAndEnvironment(t *testing.T) {
	t.Setenv("LMSVAULT_PASSPHRASE", "hunter2")
	t.Setenv("GIVEN", "on")
	r, err := run(t.Context(), t, `argv: [printf, "<%s>", "$HOME; ls", "a b", "*"]`, stage.ActionRequest{})
	if f := one(t, r, err); f.Details != "<$HOME; ls><a b><*>" {
		t.Errorf("the arguments were %q", f.Details)
	}
	r, err = run(t.Context(), t, `{argv: [env], env: {MODE: "x y"}, inherit: [GIVEN, NOT_SET]}`, stage.ActionRequest{
		Moment: stage.MomentAfter, Pipeline: "nightly",
		Outcome: &stage.RunOutcome{Status: stage.StatusPartial, Exit: 4, Error: "two\nlines", Run: "r1", Snapshots: []stage.Summary{{Snapshot: "abc"}, {Snapshot: "def"}}},
	})
	f := one(t, r, err)
	for _, want := range []string{
		"MODE=x y\n", "GIVEN=on\n", "PATH=", "LMSVAULT_RUN_MOMENT=after\n", "LMSVAULT_RUN_PIPELINE=nightly\n", "LMSVAULT_RUN_DRY=false\n",
		"LMSVAULT_RUN_STATUS=partial\n", "LMSVAULT_RUN_EXIT=4\n", "LMSVAULT_RUN_ERROR=two\nlines\n", "LMSVAULT_RUN_ID=r1\n", "LMSVAULT_RUN_SNAPSHOTS=abc def\n",
	} {
		if !strings.Contains(f.Details, want) {
			t.Errorf("no %q in %s", want, f.Details)
		}
	}
	if strings.Contains(f.Details, "hunter2") || strings.Contains(f.Details, "NOT_SET") {
		t.Errorf("the environment is %s", f.Details)
	}
}

func TestProgramStartsInPipelineDirectory(t *testing.T) {
	r, err := run(t.Context(), t, "argv: [sh, -c, 'pwd; test -z \"$(cat)\"']", stage.ActionRequest{})
	if f := one(t, r, err); f.Level != stage.LevelOK || !strings.Contains(f.Details, t.Name()) {
		t.Errorf("got %+v", f)
	}
}

func TestDryRunStartsOnlyDryArgv(t *testing.T) {
	file := filepath.Join(t.TempDir(), "made")
	r, err := run(t.Context(), t, "argv: [touch, "+file+"]", stage.ActionRequest{DryRun: true})
	if f := one(t, r, err); f.ID != "dry-run" || f.Level != stage.LevelOK || f.What != "would run touch" {
		t.Errorf("got %+v", f)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the program ran")
	}
	r, err = run(t.Context(), t, "{argv: [touch, "+file+"], dry_argv: [sh, -c, 'echo $LMSVAULT_RUN_DRY']}", stage.ActionRequest{DryRun: true})
	if f := one(t, r, err); f.ID != "exit" || f.Details != "true\n" {
		t.Errorf("got %+v", f)
	}
}

// A program that hangs is ended together with the processes that it started.
func TestProgramIsEndedWithItsChildren(t *testing.T) {
	const hang = `{timeout: 1s, argv: [sh, -c, 'sleep 300 & echo $!; wait']}`
	begin := time.Now()
	r, err := run(t.Context(), t, hang, stage.ActionRequest{})
	f := one(t, r, err)
	if f.Level != stage.LevelFail || f.What != "sh was ended: it took longer than 1s" || time.Since(begin) > 20*time.Second {
		t.Errorf("after %v: %+v", time.Since(begin), f)
	}
	gone(t, f.Details)

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	file := filepath.Join(t.TempDir(), "pid")
	_, err = run(ctx, t, "argv: [sh, -c, 'trap \"\" TERM; sleep 300 & echo $! > "+file+"; wait; sleep 300']", stage.ActionRequest{})
	if err == nil || !strings.HasPrefix(err.Error(), "sh was ended: ") {
		t.Errorf("interrupted: %v", err)
	}
	pid, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	gone(t, string(pid))
}

func gone(t *testing.T, text string) {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if syscall.Kill(pid, 0) != nil {
			return
		}
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(stat), ") Z ") {
			return // a zombie
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("process %d is still running", pid)
}

func TestLongOutputKeepsWholeLinesOfBothEnds(t *testing.T) {
	r, err := run(t.Context(), t, "argv: [sh, -c, 'i=0; while [ $i -lt 4000 ]; do echo line $i of the output; i=$((i+1)); done; printf \"\\377\"']", stage.ActionRequest{})
	f := one(t, r, err)
	lines := strings.Split(f.Details, "\n")
	if len(f.Details) > 17<<10 || lines[0] != "line 0 of the output" || lines[len(lines)-2] != "line 3999 of the output" || lines[len(lines)-1] != "\uFFFD" {
		t.Errorf("%d bytes, from %q to %q", len(f.Details), lines[0], lines[len(lines)-2])
	}
	left := 0
	for _, line := range lines[:len(lines)-1] {
		if strings.HasPrefix(line, "… ") && strings.HasSuffix(line, " bytes are left out …") {
			left++
		} else if !strings.HasPrefix(line, "line ") || !strings.HasSuffix(line, " of the output") {
			t.Errorf("part of a line is kept: %q", line)
		}
	}
	if left != 1 {
		t.Errorf("%d lines report omitted output, want 1", left)
	}
	r, err = run(t.Context(), t, "argv: [sh, -c, 'head -c 100000 /dev/zero | tr \"\\\\0\" x']", stage.ActionRequest{})
	if f := one(t, r, err); f.Details != "… 100000 bytes are left out …\n" {
		t.Errorf("of one long line %q is kept", f.Details)
	}
}

func TestInvalidSettingsAreFindings(t *testing.T) {
	for text, want := range map[string]string{
		"{}":                                     "argv is missing",
		"argv: []":                               "argv is an empty list",
		"argv: ['']":                             "argv names no program",
		"{argv: [x], env: {A-B: x}}":             "env has a name that is none of a variable",
		"{argv: [x], env: {LMSVAULT_RUN_ID: x}}": "begins with LMSVAULT_RUN_",
		"{argv: [x], inherit: [A, 'B=1']}":       "item 2 is none",
		"{argv: [x], timeout: 0s}":               "timeout must be at least 1s",
		"argv: sh -c x":                          "argv must be a list",
	} {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		d := config.Decoder{File: "f"}
		if found := d.Decode(doc.Content[0], command.Stage().Config()); len(found) != 1 || !strings.Contains(found[0].Message, want) {
			t.Errorf("%s: found %v, want %s", text, found, want)
		}
	}
}
