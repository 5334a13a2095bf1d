package run

import (
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Plan is what a run would do, for display and as JSON.
type Plan struct {
	Name      string            `json:"pipeline"`
	Facts     map[string]string `json:"facts"`
	Snapshots []string          `json:"snapshots,omitempty"` // snapshots that are read
	Parts     []string          `json:"parts"`
	Units     int               `json:"units"`
	Rows      int64             `json:"rows"`  // estimate
	Bytes     int64             `json:"bytes"` // estimate
	Tables    []TablePlan       `json:"tables,omitempty"`
	Targets   []TargetPlan      `json:"targets"`
	Losses    []stage.Loss      `json:"losses,omitempty"`
	Notes     []stage.Note      `json:"notes,omitempty"`
	// Actions are the results of the actions before the run, from their dry runs.
	Actions []stage.ActionResult `json:"actions,omitempty"`
}

// TablePlan is a table in its source.
type TablePlan struct {
	Name   string       `json:"name"`
	Rows   int64        `json:"rows"`
	Bytes  int64        `json:"bytes"`
	Source schema.Table `json:"source"`
}

// TargetPlan is what one sink gets, with tables as it will hold them.
type TargetPlan struct {
	Name    string         `json:"name"`
	Dialect string         `json:"dialect,omitempty"`
	Parts   []string       `json:"parts"`
	Tables  []schema.Table `json:"tables,omitempty"`
}

// Result is what a run did.
type Result struct {
	Run       string            `json:"run"` // the ID in its events
	Pipeline  string            `json:"pipeline"`
	Started   time.Time         `json:"started"`
	Finished  time.Time         `json:"finished"`
	Exit      failure.Class     `json:"exit"`
	Log       string            `json:"log,omitempty"` // path of the log file
	DryRun    bool              `json:"dry_run,omitempty"`
	Facts     map[string]string `json:"facts,omitempty"`
	Snapshots []string          `json:"snapshots,omitempty"` // snapshots that were read
	Parts     []string          `json:"parts,omitempty"`
	Counts    Counts            `json:"counts"`
	Tables    []TableResult     `json:"tables,omitempty"` // from targets that hold tables
	Files     []FilesResult     `json:"files,omitempty"`  // from targets that hold files and have proven them
	Stored    []stage.Summary   `json:"stored,omitempty"` // snapshots that were made
	Losses    []stage.Loss      `json:"losses,omitempty"`
	Notes     []stage.Note      `json:"notes,omitempty"`
	// Actions are the results of actions, in order.
	Actions []stage.ActionResult `json:"actions,omitempty"`
}

// TableResult is the proof of one table in one target.
type TableResult struct {
	Target  string   `json:"target"`
	Table   string   `json:"table"`
	Rows    int64    `json:"rows"`              // rows that the target must hold
	Dropped int64    `json:"dropped,omitempty"` // further rows read, dropped by a transform
	Changed bool     `json:"changed,omitempty"` // transforms made other rows of those that were read
	Added   int64    `json:"added,omitempty"`   // rows among these that were not read, added by a transform
	Refused int64    `json:"refused,omitempty"` // further rows read, rejected by the target
	Want    rows.Sum `json:"want"`
	Got     rows.Sum `json:"got"`
	Faults  []string `json:"faults,omitempty"`
}

// FilesResult is the proof of one part in a target of files: each file was read back
// and compared with the hash of what was sent.
type FilesResult struct {
	Target string `json:"target"`
	Part   string `json:"part"`
	Files  int64  `json:"files"`
	Bytes  int64  `json:"bytes"`
}

// Counts is what a run has read.
type Counts struct {
	Bytes int64 `json:"bytes"`
	Rows  int64 `json:"rows"`
	Files int64 `json:"files"`
}
