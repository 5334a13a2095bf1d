package run

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
)

// Limits for the log that is stored with a snapshot, in bytes of JSON. Losses, notes and
// actions may use half of it, so that they don't displace the steps of the run.
const (
	maxStoredLog = 64 << 10
	maxDetailLog = maxStoredLog / 2
	maxLogText   = 500 // bytes of a text in the stored log
	maxFindings  = 20  // of an action in the stored log
)

// logInterval is the time between two entries about progress.
const logInterval = time.Minute

// runLog makes the log of a run from its events. It passes each entry to a file, if there
// is one, and keeps the first ones for the snapshot. It is safe for concurrent use.
type runLog struct {
	redact func(string) string

	mu    sync.Mutex
	file  *logFile // nil for none
	kept  []stage.LogEntry
	size  int // of kept, as JSON
	left  int // entries that are not in kept
	begun map[openStep]time.Time
	moved time.Time // of the last entry about progress
}

// openStep identifies a step that has begun.
type openStep struct{ target, text string }

func newRunLog(redact func(string) string) *runLog {
	return &runLog{redact: redact, begun: map[openStep]time.Time{}}
}

// event records an event of the run.
func (l *runLog) event(e progress.Event) {
	entry := stage.LogEntry{Time: e.Time.UTC(), Target: e.Target}
	counts := func() { entry.Units, entry.Rows, entry.Files, entry.Bytes = e.Units, e.Rows, e.Files, e.Bytes }
	step := openStep{e.Target, e.Step}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e.Kind {
	case progress.Phase:
		entry.Event, entry.Text, entry.Target = stage.LogPhase, e.Phase, ""
		l.moved = e.Time
		counts()
	case progress.Moving:
		if e.Time.Sub(l.moved) < logInterval {
			return
		}
		entry.Event, entry.Text, entry.Target, l.moved = stage.LogProgress, e.Phase, "", e.Time
		counts()
	case progress.StepOpen:
		entry.Event, entry.Text = stage.LogStep, e.Step
		l.begun[step] = e.Time
	case progress.StepDone:
		entry.Event, entry.Text, entry.Error = stage.LogDone, e.Step, e.Text
		if at, ok := l.begun[step]; ok {
			entry.Seconds = seconds(e.Time.Sub(at))
			delete(l.begun, step)
		}
	case progress.Lost:
		entry.Event, entry.Loss = stage.LogLoss, e.Loss
	case progress.Noted:
		entry.Event, entry.Note = stage.LogNote, e.Note
	case progress.Acted:
		entry.Event, entry.Action, entry.Target, entry.Error = stage.LogAction, e.Action, "", e.Action.Error
		entry.Seconds = seconds(e.Action.Finished.Sub(e.Action.Started))
	case progress.Proven:
		entry.Event, entry.Text = stage.LogProof, e.Text
		entry.Rows, entry.Files, entry.Bytes = e.Rows, e.Files, e.Bytes
	default:
		return
	}
	l.addLocked(entry)
}

func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }

// add records an entry.
func (l *runLog) add(e stage.LogEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Time = time.Now().UTC()
	l.addLocked(e)
}

func (l *runLog) addLocked(e stage.LogEntry) {
	e = l.discreet(e)
	if l.file != nil {
		l.file.write(e)
	}
	if e.Event == stage.LogProgress || e.Event == stage.LogIfKilled {
		return
	}
	e = short(e)
	text, err := json.Marshal(e)
	limit := maxStoredLog
	if e.Loss != nil || e.Note != nil || e.Action != nil {
		limit = maxDetailLog
	}
	if err != nil || l.size+len(text) > limit && e.Event != stage.LogPhase {
		l.left++
		return
	}
	l.kept, l.size = append(l.kept, e), l.size+len(text)
}

// discreet returns an entry whose texts show no secret. The texts of actions show none.
func (l *runLog) discreet(e stage.LogEntry) stage.LogEntry {
	e.Text, e.Error = l.redact(e.Text), l.redact(e.Error)
	if e.Loss != nil {
		loss := *e.Loss
		loss.Row, loss.Path, loss.Where, loss.Reason = nil, l.redact(loss.Path), l.redact(loss.Where), l.redact(loss.Reason)
		e.Loss = &loss
	}
	if e.Note != nil {
		e.Note = &stage.Note{Path: l.redact(e.Note.Path), Text: l.redact(e.Note.Text)}
	}
	e.Next = slices.Clone(e.Next)
	for i := range e.Next {
		e.Next[i] = l.redact(e.Next[i])
	}
	return e
}

// short returns an entry for the stored log.
func short(e stage.LogEntry) stage.LogEntry {
	e.Text, e.Error = cut(e.Text), cut(e.Error)
	switch {
	case e.Loss != nil:
		loss := *e.Loss
		loss.Path, loss.Where, loss.Reason = cut(loss.Path), cut(loss.Where), cut(loss.Reason)
		e.Loss = &loss
	case e.Note != nil:
		e.Note = &stage.Note{Path: cut(e.Note.Path), Text: cut(e.Note.Text)}
	case e.Action != nil:
		a := *e.Action
		a.Error = cut(a.Error)
		a.Findings = nil
		for _, f := range e.Action.Findings[:min(maxFindings, len(e.Action.Findings))] {
			f.What, f.Where, f.Remedy, f.Details, f.Exclude = cut(f.What), cut(f.Where), cut(f.Remedy), "", nil
			a.Findings = append(a.Findings, f)
		}
		e.Action = &a
	}
	return e
}

func cut(text string) string {
	if len(text) <= maxLogText {
		return text
	}
	return strings.ToValidUTF8(text[:maxLogText], "") + "…"
}

// soFar returns the log for a snapshot.
func (l *runLog) soFar() []stage.LogEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	log := slices.Clone(l.kept)
	if l.left > 0 {
		log = append(log, stage.LogEntry{Time: time.Now().UTC(), Event: stage.LogLeftOut, Text: fmt.Sprintf("%d entries; the log is limited to %d KiB", l.left, maxStoredLog>>10)})
	}
	return log
}
