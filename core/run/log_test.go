package run

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
)

// logged returns a job that writes its log, with a command to repeat it.
func logged(t *testing.T, j *Job) *Job {
	t.Helper()
	j.LogDir.Path = filepath.Join(t.TempDir(), "vault-logs")
	j.Command = func(again Again) string { return fmt.Sprintf("vault run x %q %v", again.Snapshot, again.Replace) }
	return j
}

// entries reads a log file.
func entries(t *testing.T, path string) (all []stage.LogEntry) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e stage.LogEntry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		all = append(all, e)
	}
	if err := errors.Join(lines.Err(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return all
}

// sketch returns the events of a log with their texts.
func sketch(log []stage.LogEntry) (all []string) {
	for _, e := range log {
		all = append(all, strings.Join(strings.Fields(string(e.Event)+" "+e.Target+" "+e.Text), " "))
	}
	return all
}

func TestLogHasEveryStepOfRun(t *testing.T) {
	source := site()
	source.trouble.errs = map[string][]error{"db/user#0": {stage.Temporary(errors.New("lost connection"), 0)}}
	source.losses = []stage.Loss{{Kind: stage.LossView, Path: "db/report", Reason: "no views", Count: 1}}
	sink := &target{}
	j, start, _, _, _, _ := staged(t, sink)
	logged(t, j)
	j.Origins[0].Source, j.firstPause = source, 1
	j.Budget = map[stage.LossKind]int64{stage.LossView: 1}
	start.findings = []stage.ActionFinding{{ID: "room", Level: stage.LevelWarning, What: "little room", Details: "1 GiB"}}
	r, err := j.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	log := entries(t, r.Log)
	got := slices.DeleteFunc(sketch(log), func(line string) bool { return strings.HasPrefix(line, "step ") })
	want := []string{
		"begin pipeline test, run " + r.Run,
		"phase before", "step_done start running the action", "action",
		"phase plan", "loss",
		"phase before", "step_done planned running the action", "action",
		"phase prepare", "if_killed target if this log ends before the run does: the target holds no usable site; run again, with replace: true if the target is refused", "step_done target preparing the target",
		"phase read", "note", "phase finish", "step_done target finishing",
		"phase prove", "step_done target reading back", "proof target 3 tables and all files are as they were sent",
		"if_killed target if this log ends before the run does: the new site is complete and proven, but may still be marked as incomplete; run again if the site is refused",
		"step_done target publishing",
		"phase after", "step_done success running the action", "action", "phase after", "step_done always running the action", "action",
		"state target the new site is complete, proven and in place", "end success",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the log has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	at := func(event stage.LogEvent) stage.LogEntry {
		i := slices.IndexFunc(log, func(e stage.LogEntry) bool { return e.Event == event })
		return log[max(i, 0)]
	}
	if a := at(stage.LogAction).Action; a == nil || a.Name != "start" || a.Findings[0].Details != "1 GiB" {
		t.Errorf("the action is %+v", a)
	}
	if l := at(stage.LogLoss).Loss; l == nil || l.Path != "db/report" {
		t.Errorf("the loss is %+v", l)
	}
	if n := at(stage.LogNote).Note; n == nil || n.Path != "db/user#0" || n.Text != "attempt 1 failed and was retried: memory: db/user#0: lost connection" {
		t.Errorf("the retry is %+v", n)
	}
	if p := at(stage.LogProof); p.Rows != 4 || p.Files != 1 {
		t.Errorf("the proof is %+v", p)
	}
	end := log[len(log)-1]
	if end.Rows != 4 || end.Error != "" || !slices.Equal(end.Next, []string{`vault run x "" false`}) {
		t.Errorf("the end is %+v", end)
	}
	for i, e := range log {
		if e.Time.IsZero() || i > 0 && e.Time.Before(log[i-1].Time) && e.Event != stage.LogAction {
			t.Errorf("entry %d has the time %v after %v", i, e.Time, log[max(0, i-1)].Time)
		}
	}
	for path, mode := range map[string]os.FileMode{r.Log: 0o600, filepath.Dir(r.Log): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	if name := filepath.Base(r.Log); name != r.Run[:15]+"-test-"+r.Run[16:]+".jsonl" {
		t.Errorf("the log of run %s is named %s", r.Run, name)
	}
}

// The log of a failed or interrupted restore ends with the state of each target and the
// command that puts it right.
func TestLogOfFailedRunSaysWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		replace           stage.Replace
		sink              *target
		cancel            bool
		state, text, next string
	}{
		"unproven": {"", &target{swallow: "\tb"}, false, "the target holds no usable site; run again, with replace: true if the target is refused", "failure", `vault run x "" true`},
		"swap":     {stage.ReplaceSwap, &target{swallow: "\tb"}, false, "the target is as it was before; run again", "failure", `vault run x "" false`},
		"in place": {stage.ReplaceInPlace, &target{swallow: "\tb"}, false, "the target is incomplete and marked as such; run again with replace: in_place, or true", "failure", `vault run x "" true`},
		"unsure": {stage.ReplaceSwap, &target{unpublishable: errors.New("gone"), unabortable: errors.New("gone")}, false,
			"the target was proven but may or may not be published; check it, or run again with replace: true", "failure", `vault run x "" false`},
		"interrupted": {stage.ReplaceSwap, &target{}, true, "nothing was changed", "interrupted", `vault run x "" false`},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		j, _, planned, _, _, _ := staged(t, c.sink)
		logged(t, j)
		j.Targets[0].Replace = c.replace
		if c.cancel {
			planned.do, planned.err = func(context.Context) { cancel() }, context.Canceled
		}
		r, err := j.Run(ctx)
		cancel()
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		log := entries(t, r.Log)
		state, end := log[len(log)-2], log[len(log)-1]
		if state.Event != stage.LogState || state.Text != c.state || end.Text != c.text || !slices.Equal(end.Next, []string{c.next}) || end.Error == "" {
			t.Errorf("%s: the log ends with %+v and %+v", name, state, end)
		}
	}
}

func TestFailedStepHasItsError(t *testing.T) {
	j := logged(t, job(t, site(), &target{unpublishable: errors.New("gone")}))
	r, err := j.Run(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	if i := slices.IndexFunc(entries(t, r.Log), func(e stage.LogEntry) bool {
		return e.Event == stage.LogDone && e.Text == "publishing" && e.Error == "gone"
	}); i < 0 {
		t.Errorf("the log is %v", sketch(entries(t, r.Log)))
	}
}

func TestLogShowsNoSecret(t *testing.T) {
	sink := &target{unpublishable: errors.New("hunter2 at publishing")}
	j, start, _, _, fails, _ := staged(t, sink)
	logged(t, j)
	j.Redact = func(text string) string { return strings.ReplaceAll(text, "hunter2", "***") }
	j.Notes = []stage.Note{{Path: "hunter2", Text: "hunter2"}}
	j.Command = func(Again) string { return "vault run --set password=hunter2" }
	source := site()
	source.losses = []stage.Loss{{Kind: stage.LossView, Path: "db/hunter2", Where: "hunter2", Reason: "hunter2", Count: 1}}
	j.Origins[0].Source, j.Budget = source, map[stage.LossKind]int64{stage.LossView: 1}
	start.findings = []stage.ActionFinding{{ID: "x", Level: stage.LevelNote, What: "hunter2", Details: "hunter2"}}
	fails.err = errors.New("hunter2")
	keep := &target{}
	j.Targets = append(j.Targets, &Target{Name: "repository", Sink: keeper{target: keep}, Dialect: "memory"})
	r, err := j.Run(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	text, err := os.ReadFile(r.Log)
	if err != nil || strings.Contains(string(text), "hunter2") || strings.Count(string(text), "***") < 8 {
		t.Errorf("%v: the log is\n%s", err, text)
	}
	stored, err := json.Marshal(keep.outcome.Log)
	if err != nil || strings.Contains(string(stored), "hunter2") || !strings.Contains(string(stored), "***") {
		t.Errorf("%v: the stored log is\n%s", err, stored)
	}
}

// A repository gets the log until then; its run writes no file.
func TestRepositoryGetsLog(t *testing.T) {
	sink := &target{}
	j := logged(t, job(t, site(), sink))
	j.Targets[0].Sink, j.Targets[0].Parts = keeper{target: sink}, nil
	r, err := j.Run(t.Context())
	if err != nil || r.Log != "" {
		t.Fatalf("%v; the log is %q", err, r.Log)
	}
	if _, err := os.Stat(j.LogDir.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory of logs exists: %v", err)
	}
	want := []string{"begin pipeline test, run " + r.Run, "phase plan", "phase prepare", "step target preparing the target", "step_done target preparing the target", "phase read", "phase finish"}
	if got := sketch(sink.outcome.Log); !slices.Equal(got, want) {
		t.Errorf("the stored log is %q, want %q", got, want)
	}
	if last := sink.outcome.Log[len(want)-1]; last.Rows != 4 || last.Files != 1 || last.Units != 7 {
		t.Errorf("the counts are %+v", last)
	}
}

// However much happens, the stored log is small, and the phases are in it.
func TestStoredLogIsBounded(t *testing.T) {
	l := newRunLog(func(text string) string { return text })
	long := strings.Repeat("€", 1000)
	var findings []stage.ActionFinding
	for range 1000 {
		findings = append(findings, stage.ActionFinding{ID: "x", Level: stage.LevelWarning, What: long, Where: long, Remedy: long, Details: long})
	}
	now := time.Now()
	for i := range 3000 {
		l.event(progress.Event{Time: now, Kind: progress.Lost, Loss: &stage.Loss{Kind: stage.LossRow, Path: long, Where: long, Reason: long, Count: 1}})
		l.event(progress.Event{Time: now, Kind: progress.Noted, Note: &stage.Note{Path: long, Text: long}})
		if i%100 == 0 {
			l.event(progress.Event{Time: now, Kind: progress.Acted, Action: &stage.ActionResult{Name: "x", Findings: findings}})
		}
	}
	l.event(progress.Event{Time: now, Kind: progress.Phase, Phase: "read"})
	for range 3000 {
		l.event(progress.Event{Time: now, Kind: progress.StepOpen, Step: long})
		l.event(progress.Event{Time: now, Kind: progress.StepDone, Step: long, Text: long})
	}
	l.event(progress.Event{Time: now, Kind: progress.Phase, Phase: "finish"})
	log := l.soFar()
	text, err := json.Marshal(log)
	if err != nil || len(text) > maxStoredLog+2000 || len(text) < maxStoredLog/2 {
		t.Errorf("%v: the stored log has %d bytes", err, len(text))
	}
	got := sketch(log)
	if !slices.Contains(got, "phase read") || !slices.Contains(got, "phase finish") || !strings.Contains(got[len(got)-1], "entries; the log is limited to 64 KiB") {
		t.Errorf("the log ends with %q", got[len(got)-3:])
	}
	if !slices.ContainsFunc(log, func(e stage.LogEntry) bool { return e.Event == stage.LogDone && e.Error != "" }) {
		t.Error("losses displaced the steps")
	}
	if strings.Contains(string(text), "\uFFFD") {
		t.Error("a text is cut within a character")
	}
}

func TestLogOfLongPhaseHasProgress(t *testing.T) {
	dir := t.TempDir()
	f, err := openLog(dir, "a b/c", "20260102-030405-abcdefgh")
	if err != nil {
		t.Fatal(err)
	}
	l := newRunLog(func(text string) string { return text })
	l.file = f
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l.event(progress.Event{Time: now, Kind: progress.Phase, Phase: "read"})
	for s := range 150 {
		l.event(progress.Event{Time: now.Add(time.Duration(s) * time.Second), Kind: progress.Moving, Phase: "read", Units: int64(s), Rows: 5})
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	log := entries(t, filepath.Join(dir, "20260102-030405-a-b-c-abcdefgh.jsonl"))
	if len(log) != 3 || log[1].Event != stage.LogProgress || log[1].Units != 60 || log[2].Units != 120 || len(l.soFar()) != 1 {
		t.Errorf("the log is %+v", log)
	}
}

func TestDryRunWritesNoLog(t *testing.T) {
	j := logged(t, job(t, site(), &target{}))
	j.DryRun = true
	j.Targets[0].Rehearse()
	r, err := j.Run(t.Context())
	if err != nil || r.Log != "" {
		t.Fatalf("%v; the log is %q", err, r.Log)
	}
	if _, err := j.Plan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(j.LogDir.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory of logs exists: %v", err)
	}
}

// A directory that is set must be writable; without the default one a restore still runs.
func TestLogThatCannotBeWritten(t *testing.T) {
	for _, required := range []bool{true, false} {
		sink := &target{}
		j := logged(t, job(t, site(), sink))
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		j.LogDir = LogDir{Path: filepath.Join(file, "logs"), Required: required}
		r, err := j.Run(t.Context())
		if required {
			if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "log_dir: the log of the run cannot be written") || len(sink.calls) > 0 {
				t.Errorf("%v of class %d; the calls were %v", err, failure.Of(err), sink.calls)
			}
			continue
		}
		if err != nil || !slices.ContainsFunc(r.Notes, func(n stage.Note) bool { return strings.Contains(n.Text, "set log_dir to a writable directory") }) {
			t.Errorf("%v; the notes are %v", err, r.Notes)
		}
	}
}

func TestIncompleteLogIsNoted(t *testing.T) {
	j := logged(t, job(t, site(), &target{}))
	j.Confirm = nil
	begun := &acting{t: &target{}, name: "break", do: func(context.Context) {
		if err := j.log.file.file.Close(); err != nil { // as if the disk were gone
			t.Error(err)
		}
	}}
	j.Actions = []ActionStep{{Name: "break", Stage: "acting", Moment: stage.MomentStart, Action: begun}}
	r, err := j.Run(t.Context())
	if err != nil || !slices.ContainsFunc(r.Notes, func(n stage.Note) bool {
		return n.Path == r.Log && strings.Contains(n.Text, "the log of the run is incomplete")
	}) {
		t.Errorf("%v; the notes are %v", err, r.Notes)
	}
}

// recoverable is a target that a dead run has exposed.
type recoverable struct {
	*target
	err error
}

func (r recoverable) Expose(context.Context, string) error    { return nil }
func (r recoverable) Settle(context.Context) error            { return nil }
func (r recoverable) Exposed(context.Context) (string, error) { return "run", nil }
func (r recoverable) Complete(context.Context) error          { return nil }
func (r recoverable) Retract(context.Context) error           { return r.err }

// deciding is a database that tells that the dead run did not publish it.
type deciding struct{ *target }

func (deciding) Expose(context.Context, string) error            { return nil }
func (deciding) Settle(context.Context) error                    { return nil }
func (deciding) Published(context.Context, string) (bool, error) { return false, nil }

func TestRecoveryHasLog(t *testing.T) {
	for _, fails := range []error{nil, errors.New("hunter2 is locked")} {
		j := logged(t, job(t, site(), &target{}, &target{}))
		j.Redact = func(text string) string { return strings.ReplaceAll(text, "hunter2", "***") }
		j.Targets[0].Sink, j.Targets[0].Parts = deciding{&target{}}, []string{stage.DB}
		j.Targets[1].Sink, j.Targets[1].Parts = recoverable{&target{}, fails}, []string{stage.Filedir}
		outcome, _, err := j.Recover(t.Context())
		if !errors.Is(err, fails) || outcome != RecoveredOld {
			t.Fatalf("%q, %v", outcome, err)
		}
		log := entries(t, j.LogFile())
		got := sketch(log)
		state := "state a restore was interrupted before it was published; the site is as it was before"
		if fails != nil {
			state = "state the recovery is not complete; it can be repeated"
		}
		if got[1] != "phase recover" || got[2] != "step target taking back an interrupted restore" || got[len(got)-2] != state {
			t.Errorf("the log is %q", got)
		}
		end := log[len(log)-1]
		if fails == nil && (end.Text != "success" || end.Error != "") || fails != nil && (end.Text != "failure" || end.Error != "target: *** is locked" || len(end.Next) != 1) {
			t.Errorf("the log ends with %+v", end)
		}
	}
}
