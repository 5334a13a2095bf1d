// Package progress tells a person or a program how far a run is.
//
// The engine makes events, and a Stream hands them to any number of reporters: a
// bar on a terminal, plain lines, JSON for machines and log files. A reporter that
// is slow, stuck or broken neither slows nor ends the run.
//
// Stages report long single steps by stage.Step.
package progress

import (
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// Kind says what an event tells.
type Kind string

// The kinds of events.
const (
	Warning  Kind = "warning"   // the pipeline may not be what is meant: Path is a place in its file, Text
	Begin    Kind = "begin"     // a run begins: Text is the pipeline's name
	Phase    Kind = "phase"     // a phase begins
	Moving   Kind = "moving"    // how far it is: sent a few times a second, also while nothing moves
	Unit     Kind = "unit"      // a unit is done
	StepOpen Kind = "step"      // a long single step begins: Step, Target
	StepDone Kind = "step_done" // it has ended, well or not: Step, Target
	Lost     Kind = "loss"      // a loss was recorded: Loss, Target. The result lists them all; the first of them are events
	Done     Kind = "done"      // the run ended well: Result
	Failed   Kind = "error"     // the run ended with an error: Text, Class, perhaps Result
)

// Event is one thing to tell. Counts are totals since the run began.
type Event struct {
	// Run and Seq are set by the Stream: one ID for all events of it, and a number
	// that grows by one. A gap in the numbers shows that a reporter was too slow to get all.
	Run   string    `json:"run,omitempty"`
	Seq   int64     `json:"seq,omitempty"`
	Time  time.Time `json:"time"` // set by the Stream where it is zero
	Kind  Kind      `json:"event"`
	Phase string    `json:"phase,omitempty"` // plan, prepare, read, finish, prove …
	Unit  string    `json:"unit,omitempty"`  // the one that this is about, or was last begun
	// Target is the stage that a step or a loss is of; "" for a loss of the source.
	Target string `json:"target,omitempty"`
	// Step is what takes so long: "building 3 indexes of log". In other events it is the
	// step that was begun last and still runs.
	Step string      `json:"step,omitempty"`
	Loss *stage.Loss `json:"loss,omitempty"`
	// Bytes are those verified so far: read, hashed and taken by every sink.
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

// Reporter shows events. A Stream calls it from one goroutine; Report may block,
// and then gets fewer events.
type Reporter interface {
	Report(Event)
	// Close ends the report and returns the first error of writing it.
	Close() error
}

// Silent is a Reporter that shows nothing.
type Silent struct{}

// Report does nothing.
func (Silent) Report(Event) {}

// Close does nothing.
func (Silent) Close() error { return nil }
