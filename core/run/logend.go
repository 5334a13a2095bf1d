package run

import (
	"errors"
	"fmt"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// beginLog starts the log of a run. It returns an error if the log is required and can't be
// written.
func (j *Job) beginLog(r *Result) error {
	if j.LogDir.Path != "" && !j.DryRun && j.changesSite() {
		f, err := openLog(j.LogDir.Path, j.Name, r.Run)
		switch {
		case err == nil:
			j.log.file, r.Log = f, f.path
		case j.LogDir.Required:
			return failure.New(failure.Refused, "log_dir: the log of the run cannot be written: %w", err)
		default:
			j.Notes = append(j.Notes, stage.Note{Path: j.LogDir.Path, Text: fmt.Sprintf("the log of this run cannot be written: %v; set log_dir to a writable directory", err)})
		}
	}
	j.log.add(stage.LogEntry{Event: stage.LogBegin, Text: fmt.Sprintf("pipeline %s, run %s", j.Name, r.Run)})
	return nil
}

// changesSite reports whether a target is a site and not a repository.
func (j *Job) changesSite() bool {
	for _, t := range j.Targets {
		if !t.keeps() {
			return true
		}
	}
	return false
}

// endLog ends the log of a run that ended with err: with the state of each target and the
// command that continues from there.
func (j *Job) endLog(r *Result, err error) {
	for _, t := range j.Targets {
		if state := t.state(); state != "" && !j.DryRun {
			j.log.add(stage.LogEntry{Event: stage.LogState, Target: t.Name, Text: state})
		}
	}
	end := stage.LogEntry{
		Event: stage.LogEnd, Text: string(j.status(err)), Rows: r.Counts.Rows, Files: r.Counts.Files, Bytes: r.Counts.Bytes,
		Seconds: seconds(r.Finished.Sub(r.Started)), Next: j.next(err),
	}
	switch failure.Of(err) {
	case failure.Interrupted:
		end.Text = "interrupted"
	case failure.Afterwards:
		end.Text = "done and proven, but an action failed afterwards"
	}
	if err != nil {
		end.Error = err.Error()
	}
	if bad := j.closeLog(end); bad != nil {
		r.Notes = append(r.Notes, stage.Note{Path: r.Log, Text: bad.Error()})
	}
}

// endRecovery ends the log of a recovery that ended with err, and returns its final error.
func (j *Job) endRecovery(r *Result, outcome Recovery, err error) error {
	for _, n := range outcome.notes() {
		if err != nil {
			n.Text = "the recovery is not complete; it can be repeated"
		}
		j.log.add(stage.LogEntry{Event: stage.LogState, Text: n.Text})
	}
	end := stage.LogEntry{Event: stage.LogEnd, Text: string(stage.StatusSuccess), Seconds: seconds(time.Since(r.Started))}
	if err != nil {
		end.Text, end.Error = string(stage.StatusFailure), err.Error()
	}
	if err != nil && j.Command != nil {
		end.Next = []string{j.Command(Again{})}
	}
	switch bad := j.closeLog(end); {
	case bad == nil:
		return err
	case err == nil:
		return failure.New(failure.Afterwards, "the site is recovered, but %w", bad)
	default:
		return failure.Wrap(failure.Of(err), errors.Join(err, bad))
	}
}

// closeLog adds the last entry and closes the file. It returns an error if the log is
// incomplete.
func (j *Job) closeLog(end stage.LogEntry) error {
	j.log.add(end)
	if j.log.file == nil {
		return nil
	}
	if err := j.log.file.close(); err != nil {
		return fmt.Errorf("the log of the run is incomplete: %w", err)
	}
	return nil
}

// LogFile returns the path of the log file of the run; "" if there is none.
func (j *Job) LogFile() string {
	if j.log == nil || j.log.file == nil {
		return ""
	}
	return j.log.file.path
}

// next returns the command that restores the same again after a run that succeeded, and
// otherwise the one that puts the targets right.
func (j *Job) next(err error) []string {
	if j.Command == nil {
		return nil
	}
	again := Again{}
	if len(j.snapshots) == 1 {
		again.Snapshot = j.snapshots[0]
	}
	for _, t := range j.Targets {
		again.Replace = again.Replace || err != nil && t.unusable()
	}
	return []string{j.Command(again)}
}

// ifKilled records the state of a target and what to do about it in case that the log ends
// with this entry.
func (j *Job) ifKilled(t *Target, text string, replace bool) {
	if t.keeps() || t.dry {
		return
	}
	e := stage.LogEntry{Event: stage.LogIfKilled, Target: t.Name, Text: "if this log ends before the run does: " + text}
	if j.Command != nil {
		again := Again{Replace: replace}
		if len(j.snapshots) == 1 {
			again.Snapshot = j.snapshots[0]
		}
		e.Next = []string{j.Command(again)}
	}
	j.log.add(e)
}

// Again is how a run is repeated.
type Again struct {
	Snapshot string // the snapshot that was read; "" for none or several
	Replace  bool   // the targets hold remains, which must be replaced
}

// unusable reports whether the target was begun, not published, and must be replaced.
func (t *Target) unusable() bool {
	return t.begun && !t.keeps() && !t.published && t.Replace != stage.ReplaceSwap
}

// state describes what the run has left in the target.
func (t *Target) state() string {
	switch {
	case t.keeps() && t.proven:
		return "the snapshot is stored and proven"
	case t.keeps():
		return "no new snapshot; earlier ones are intact"
	case t.published:
		return "the new site is complete, proven and in place"
	case t.ended != "":
		return t.ended
	case t.open || t.begun:
		return t.left()
	}
	return "nothing was changed"
}
