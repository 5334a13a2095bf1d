// Package progress reports the progress of a run to users and programs.
//
// The engine sends events to a Stream, which passes them to any number of reporters: a bar
// on a terminal, plain lines, JSON for programs and log files. A reporter that is slow,
// blocked or broken neither delays nor ends the run.
//
// Stages report long single steps with stage.Step.
package progress

import (
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// Kind is the type of an event.
type Kind string

// The kinds of events.
const (
	Warning  Kind = "warning"   // the pipeline may not do what is intended: Path is a position in its file, Text the warning
	Begin    Kind = "begin"     // a run begins: Text is the name of the pipeline
	Phase    Kind = "phase"     // a phase begins
	Moving   Kind = "moving"    // current totals, sent several times a second, also while nothing moves
	Unit     Kind = "unit"      // a unit is done
	StepOpen Kind = "step"      // a long single step begins: Step, Target
	StepDone Kind = "step_done" // the step has ended: Step, Target; Text is the error if it failed
	Lost     Kind = "loss"      // a loss was recorded: Loss, Target. Only the first losses are events; the result lists all
	Noted    Kind = "note"      // a note was recorded, such as a retry: Note, Target
	Acted    Kind = "action"    // an action has ended: Action
	Proven   Kind = "proven"    // what a target holds was read back and is as it was sent: Target, Text; counts are the target's
	Done     Kind = "done"      // the run succeeded: Result
	Failed   Kind = "error"     // the run failed: Text, Class, possibly Result
)

// Event is one report of progress. Counts are totals since the run began.
type Event struct {
	// Run and Seq are set by the Stream: an ID shared by all its events, and a number that
	// increases by one. A gap in the numbers means that a reporter was too slow to get all
	// events.
	Run   string    `json:"run,omitempty"`
	Seq   int64     `json:"seq,omitempty"`
	Time  time.Time `json:"time"` // set by the Stream if zero
	Kind  Kind      `json:"event"`
	Phase string    `json:"phase,omitempty"` // plan, prepare, read, finish, prove …
	Unit  string    `json:"unit,omitempty"`  // the unit concerned, or the one begun last
	// Target is the stage of a step or a loss; "" for a loss of the source.
	Target string `json:"target,omitempty"`
	// Step describes a long operation: "building 3 indexes of log". In other events it is
	// the most recent step that is still running.
	Step string      `json:"step,omitempty"`
	Loss *stage.Loss `json:"loss,omitempty"`
	Note *stage.Note `json:"note,omitempty"`
	// Action is the result of an action before or after the run.
	Action *stage.ActionResult `json:"action,omitempty"`
	// Bytes counts verified bytes: read, hashed and accepted by every sink.
	Bytes      int64  `json:"bytes,omitempty"`
	TotalBytes int64  `json:"total_bytes,omitempty"` // an estimate; 0 if unknown
	Rows       int64  `json:"rows,omitempty"`
	Files      int64  `json:"files,omitempty"`
	Units      int64  `json:"units,omitempty"` // done
	TotalUnits int64  `json:"total_units,omitempty"`
	Path       string `json:"path,omitempty"`
	Text       string `json:"text,omitempty"`
	Class      int    `json:"class,omitempty"`  // the exit code of an error
	Result     any    `json:"result,omitempty"` // a struct that marshals to JSON
}

// Reporter shows events. A Stream calls it from one goroutine. Report may block; the
// reporter then gets fewer events.
type Reporter interface {
	Report(Event)
	// Close ends the report and returns the first write error.
	Close() error
}

// Silent is a Reporter that discards all events.
type Silent struct{}

// Report does nothing.
func (Silent) Report(Event) {}

// Close does nothing.
func (Silent) Close() error { return nil }
