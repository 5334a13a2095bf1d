package stage

import (
	"fmt"
	"strings"
	"time"
)

// LogEntry is an entry of the log of a run. It is plain data, and secrets are hidden.
type LogEntry struct {
	Time  time.Time `json:"time"`
	Event LogEvent  `json:"event"`
	Text  string    `json:"text,omitempty"`
	// Error is the reason if a step, an action or the run failed.
	Error string `json:"error,omitempty"`
	// Seconds is how long a step, an action or the run took.
	Seconds float64 `json:"seconds,omitempty"`
	// Target is the sink concerned, or the source for a step of one; "" for all.
	Target string `json:"target,omitempty"`
	// Units, Rows, Files and Bytes are what the run has read so far; for LogProof, what the
	// target holds.
	Units int64 `json:"units,omitempty"`
	Rows  int64 `json:"rows,omitempty"`
	Files int64 `json:"files,omitempty"`
	Bytes int64 `json:"bytes,omitempty"`

	Loss   *Loss         `json:"loss,omitempty"`
	Note   *Note         `json:"note,omitempty"`
	Action *ActionResult `json:"action,omitempty"`
	// Next are commands that continue from here, such as one that restores the backup again.
	Next []string `json:"next,omitempty"`
}

// LogEvent is the kind of a LogEntry.
type LogEvent string

// The events of a log.
const (
	LogBegin    LogEvent = "begin"     // the run begins: Text names the pipeline and the run
	LogPhase    LogEvent = "phase"     // a phase begins: Text
	LogStep     LogEvent = "step"      // a long step begins: Text, Target
	LogDone     LogEvent = "step_done" // the step has ended: Error, Seconds
	LogProgress LogEvent = "progress"  // what has been read so far; only in a file, once a minute
	LogLoss     LogEvent = "loss"
	LogNote     LogEvent = "note" // also each retry
	LogAction   LogEvent = "action"
	LogProof    LogEvent = "proof"     // what the target holds was read back and compared
	LogIfKilled LogEvent = "if_killed" // Text is the state of Target, and Next what to do, if the log ends here
	LogState    LogEvent = "state"     // Text is the final state of Target
	LogLeftOut  LogEvent = "left_out"  // the log is too large: Text counts the entries that are missing
	LogEnd      LogEvent = "end"       // the run has ended: Text is its status
)

// String describes the entry for people, without its time, in one or more lines.
func (e LogEntry) String() string {
	text := e.Text
	switch {
	case e.Loss != nil:
		text = fmt.Sprintf("%s %s", e.Loss.Kind, e.Loss.Path)
		if e.Loss.Where != "" {
			text += " (" + e.Loss.Where + ")"
		}
		text += ": " + e.Loss.Reason
	case e.Note != nil:
		text = e.Note.Path + ": " + e.Note.Text
	case e.Action != nil:
		text = e.Action.Name + ": "
		if e.Action.Skipped != "" {
			text += "skipped: " + e.Action.Skipped
			break
		}
		text += string(e.Action.Level)
		for _, f := range e.Action.Findings {
			text += "\n  " + f.String()
		}
	}
	var b strings.Builder
	b.WriteString(string(e.Event))
	if e.Target != "" {
		b.WriteString(" " + e.Target)
	}
	if text != "" {
		b.WriteString(": " + text)
	}
	if e.Error != "" {
		b.WriteString(": failed: " + e.Error)
	}
	var more []string
	for _, n := range []struct {
		count int64
		what  string
	}{{e.Units, "units"}, {e.Rows, "rows"}, {e.Files, "files"}, {e.Bytes, "bytes"}} {
		if n.count > 0 {
			more = append(more, fmt.Sprintf("%d %s", n.count, n.what))
		}
	}
	if e.Seconds > 0 {
		more = append(more, fmt.Sprintf("%.1f s", e.Seconds))
	}
	if more != nil {
		b.WriteString(" (" + strings.Join(more, ", ") + ")")
	}
	for _, command := range e.Next {
		b.WriteString("\n  " + command)
	}
	return b.String()
}
