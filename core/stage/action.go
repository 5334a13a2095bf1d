package stage

import (
	"context"
	"fmt"
	"regexp"
	"time"
	"unicode/utf8"
)

// Action is work beside the data of a run: a check before it, or what has to be done
// after it. It may also have a method Close(context.Context) error, called last.
type Action interface {
	// Run does the work and reports what it found. It is called once for each step,
	// by one goroutine, never beside another action of the run.
	//
	// With r.DryRun it changes nothing outside of its TempDir, and its findings say
	// what it would do. A check does the same either way.
	//
	// A finding of LevelFail says no: before a run it refuses the run, after it the
	// run ends with failure.Afterwards. An error means that the action itself could
	// not do its work, and does the same; findings that come with it are kept.
	// Run returns soon after ctx is cancelled.
	Run(ctx context.Context, r ActionRequest) (ActionReport, error)
}

// Moment is when in a run an action runs.
type Moment string

// The moments.
const (
	MomentStart   Moment = "start"   // before any source or sink is asked: a maintenance mode is put on here
	MomentPlanned Moment = "planned" // when the plan is known, before anything is written
	MomentAfter   Moment = "after"   // when the targets are published, or given up
)

// ActionRequest is what an action is told.
type ActionRequest struct {
	Moment   Moment
	Pipeline string // its name
	DryRun   bool
	// Plan is what the sources have and no transform has changed; of MomentPlanned
	// only. It belongs to the engine: don't change it.
	Plan *Plan
	// Outcome is what became of the run; of MomentAfter only.
	Outcome *RunOutcome
}

// RunStatus is how a run ended.
type RunStatus string

// The statuses.
const (
	StatusSuccess RunStatus = "success"
	StatusPartial RunStatus = "partial" // it failed, and something new counts all the same: a proven snapshot, or one of several targets
	StatusFailure RunStatus = "failure" // nothing that it wrote counts
)

// RunOutcome is what became of a run.
type RunOutcome struct {
	Status    RunStatus
	Exit      int    // the exit code as far as it is known; 0 for success
	Error     string // "" for success; without secrets
	Run       string // the run's ID
	Started   time.Time
	Snapshots []Summary // that were made
	Bytes     int64     // that were read
	Rows      int64
	Files     int64
	Losses    int64 // how many things were lost
}

// Level says how grave a finding is.
type Level string

// The levels, in their order.
const (
	LevelOK      Level = "ok"      // it was looked at, and is as it should be
	LevelNote    Level = "note"    // good to know
	LevelWarning Level = "warning" // it may be wrong; the run goes on
	LevelFail    Level = "fail"    // it says no
)

// rank orders levels; -1 for one that is unknown.
func (l Level) rank() int {
	switch l {
	case LevelOK:
		return 0
	case LevelNote:
		return 1
	case LevelWarning:
		return 2
	case LevelFail:
		return 3
	}
	return -1
}

// Graver tells whether the level is graver than another.
func (l Level) Graver(than Level) bool { return l.rank() > than.rank() }

// ActionFinding is one thing that an action found or did.
type ActionFinding struct {
	ID      string `json:"id"` // a-z 0-9 -, the same in every version: disk-space
	Level   Level  `json:"level"`
	What    string `json:"what"`              // one sentence without a full stop
	Where   string `json:"where,omitempty"`   // a path, a table, a setting
	Remedy  string `json:"remedy,omitempty"`  // what to do about it
	Details string `json:"details,omitempty"` // more, of several lines: what a program printed
}

// String gives "LEVEL: ID: WHAT (WHERE); REMEDY".
func (f ActionFinding) String() string {
	s := fmt.Sprintf("%s: %s: %s", f.Level, f.ID, f.What)
	if f.Where != "" {
		s += " (" + f.Where + ")"
	}
	if f.Remedy != "" {
		s += "; " + f.Remedy
	}
	return s
}

// ActionReport is what an action found. No findings are as good as one of LevelOK.
type ActionReport struct {
	Findings []ActionFinding
}

// Level is the gravest level of the findings.
func (r *ActionReport) Level() Level {
	level := LevelOK
	for _, f := range r.Findings {
		if f.Level.Graver(level) {
			level = f.Level
		}
	}
	return level
}

// The most that a report may hold.
const (
	maxFindings    = 10_000
	maxFindingText = 64 << 10 // bytes of one text of a finding
)

var findingID = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

// Validate checks that a report is one that may be.
func (r *ActionReport) Validate() error {
	if len(r.Findings) > maxFindings {
		return fmt.Errorf("the report has %d findings, and at most %d may be", len(r.Findings), maxFindings)
	}
	for i, f := range r.Findings {
		switch {
		case !findingID.MatchString(f.ID):
			return fmt.Errorf("finding %d: its id %.80q is not of a-z, 0-9 and -, beginning with a letter, 64 characters at most", i+1, f.ID)
		case f.Level.rank() < 0:
			return fmt.Errorf("finding %s: its level %.40q is none of ok, note, warning and fail", f.ID, f.Level)
		case f.What == "":
			return fmt.Errorf("finding %s does not say what was found", f.ID)
		}
		for _, text := range []string{f.What, f.Where, f.Remedy, f.Details} {
			if len(text) > maxFindingText || !utf8.ValidString(text) {
				return fmt.Errorf("finding %s has a text that is not UTF-8, or longer than %d bytes", f.ID, maxFindingText)
			}
		}
	}
	return nil
}

// ActionResult is what became of an action in a run.
type ActionResult struct {
	Name     string          `json:"name"`  // of the step
	Stage    string          `json:"stage"` // its name
	Moment   Moment          `json:"moment"`
	DryRun   bool            `json:"dry_run,omitempty"`
	Skipped  string          `json:"skipped,omitempty"` // why it did not run
	Started  time.Time       `json:"started,omitzero"`
	Finished time.Time       `json:"finished,omitzero"`
	Level    Level           `json:"level,omitempty"` // the gravest of the findings; fail with an Error
	Findings []ActionFinding `json:"findings,omitempty"`
	Error    string          `json:"error,omitempty"` // why it could not do its work
}
