// Package progress tells a person or a program how far a run is.
//
// The engine makes events, a Reporter shows them: as a bar on a terminal, as
// plain lines elsewhere, or as JSON for machines.
package progress

import "time"

// Kind says what an event tells.
type Kind string

// The kinds of events.
const (
	Warning Kind = "warning" // the pipeline may not be what is meant: Path is a place in its file, Text
	Begin   Kind = "begin"   // a run begins: Text is the pipeline's name
	Phase   Kind = "phase"   // a phase begins
	Moving  Kind = "moving"  // how far it is: sent a few times a second, also while nothing moves
	Unit    Kind = "unit"    // a unit is done
	Done    Kind = "done"    // the run ended well: Result
	Failed  Kind = "error"   // the run ended with an error: Text, Class, perhaps Result
)

// Event is one thing to tell. Counts are totals since the run began.
type Event struct {
	Time  time.Time `json:"time"`
	Kind  Kind      `json:"event"`
	Phase string    `json:"phase,omitempty"` // plan, prepare, read, finish, prove …
	Unit  string    `json:"unit,omitempty"`  // the one that this is about, or was last begun
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

// Reporter shows events. Report is safe for concurrent use and never blocks
// for longer than a write.
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
