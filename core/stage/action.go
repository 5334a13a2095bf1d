package stage

import (
	"context"
	"fmt"
	"regexp"
	"time"
	"unicode/utf8"
)

// Action does work before or after a run, apart from its data: a check, or a change of
// the site such as maintenance mode. An Action that also has Close(context.Context) error
// is closed when the job ends. It should embed UnimplementedAction.
type Action interface {
	// Run does the work and reports its findings. The engine calls it once per step, from
	// one goroutine, and never runs two actions of a run concurrently.
	//
	// If r.DryRun is set, Run changes nothing outside Env.TempDir; its findings say what
	// it would do. A check does the same in both forms.
	//
	// A finding of LevelFail refuses a run that has not started, and ends a finished run
	// with failure.Afterwards. So does an error, which means that the action could not do
	// its work; findings returned with an error are kept. Run returns promptly with an
	// error when ctx ends.
	Run(ctx context.Context, r ActionRequest) (ActionReport, error)
}

// Moment is when in a run an action runs.
type Moment string

// The moments.
const (
	MomentStart   Moment = "start"   // before any source or sink is called, as for maintenance mode
	MomentPlanned Moment = "planned" // after planning, before anything is written
	MomentAfter   Moment = "after"   // after the targets are published or aborted
)

// ActionRequest is the argument of Action.Run.
type ActionRequest struct {
	Moment   Moment
	Pipeline string // name of the pipeline
	DryRun   bool
	// Plan is what the sources have, before transforms. It is set for MomentPlanned and
	// must not be changed.
	Plan *Plan
	// Outcome is the outcome of the run. It is set for MomentAfter.
	Outcome *RunOutcome
}

// RunStatus is how a run ended.
type RunStatus string

// The statuses.
const (
	StatusSuccess RunStatus = "success"
	StatusPartial RunStatus = "partial" // failed, but a proven snapshot was kept or a target was published
	StatusFailure RunStatus = "failure" // failed, and no target holds a result
)

// RunOutcome is the outcome of a run before the actions after it.
type RunOutcome struct {
	Status    RunStatus
	Exit      int    // exit code so far; 0 for success
	Error     string // "" for success; secrets are hidden
	Run       string // ID of the run
	Started   time.Time
	Snapshots []Summary // snapshots that were made
	Bytes     int64     // bytes read, as are Rows and Files
	Rows      int64
	Files     int64
	Losses    int64 // number of lost items
}

// Level is the severity of a finding.
type Level string

// The levels, in their order.
const (
	LevelOK      Level = "ok"      // checked, no problem
	LevelNote    Level = "note"    // information
	LevelWarning Level = "warning" // possible problem; the run continues
	LevelFail    Level = "fail"    // problem that refuses or fails the run
)

// rank returns the position of a level, or -1 if it is unknown.
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

// Above reports whether l is more severe than another level.
func (l Level) Above(than Level) bool { return l.rank() > than.rank() }

// ActionFinding is one result of an action.
type ActionFinding struct {
	ID      string `json:"id"` // a-z 0-9 -, stable across versions: disk-space
	Level   Level  `json:"level"`
	What    string `json:"what"`              // one sentence without a full stop
	Where   string `json:"where,omitempty"`   // path, table or setting
	Remedy  string `json:"remedy,omitempty"`  // what to do
	Details string `json:"details,omitempty"` // several lines, such as the output of a program
	// Exclude lists paths in a snapshot (db/TABLE, dataroot/PATH) without which the backup
	// would not have this finding. vault check --exclude writes them into the pipeline.
	Exclude []string `json:"exclude,omitempty"`
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

// ActionReport holds the findings of an action. No findings mean LevelOK.
type ActionReport struct {
	Findings []ActionFinding
	// Confirm is a text that a person must confirm before the run continues, such as which
	// site replaces which; "" for none. It is ignored in a dry run and after a run.
	Confirm string
}

// Level returns the most severe level of the findings.
func (r *ActionReport) Level() Level {
	level := LevelOK
	for _, f := range r.Findings {
		if f.Level.Above(level) {
			level = f.Level
		}
	}
	return level
}

// Limits for a report.
const (
	maxFindings    = 10_000
	maxFindingText = 64 << 10 // bytes of one text of a finding
)

var findingID = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

// Validate checks the IDs, levels and sizes of the findings.
func (r *ActionReport) Validate() error {
	if len(r.Confirm) > maxFindingText || !utf8.ValidString(r.Confirm) {
		return fmt.Errorf("the text to confirm is not UTF-8 or exceeds %d bytes", maxFindingText)
	}
	if len(r.Findings) > maxFindings {
		return fmt.Errorf("the report has %d findings, the maximum is %d", len(r.Findings), maxFindings)
	}
	for i, f := range r.Findings {
		switch {
		case !findingID.MatchString(f.ID):
			return fmt.Errorf("finding %d: ID %.80q must consist of at most 64 characters a-z, 0-9 and -, and begin with a letter", i+1, f.ID)
		case f.Level.rank() < 0:
			return fmt.Errorf("finding %s: level %.40q is not ok, note, warning or fail", f.ID, f.Level)
		case f.What == "":
			return fmt.Errorf("finding %s: what is empty", f.ID)
		}
		for _, text := range append([]string{f.What, f.Where, f.Remedy, f.Details}, f.Exclude...) {
			if len(text) > maxFindingText || !utf8.ValidString(text) {
				return fmt.Errorf("finding %s: a text is not UTF-8 or exceeds %d bytes", f.ID, maxFindingText)
			}
		}
	}
	return nil
}

// ActionResult is the result of an action in a run or a plan.
type ActionResult struct {
	Name     string          `json:"name"`  // name of the step
	Stage    string          `json:"stage"` // name of the stage
	Moment   Moment          `json:"moment"`
	DryRun   bool            `json:"dry_run,omitempty"`
	Skipped  string          `json:"skipped,omitempty"` // reason why it did not run
	Started  time.Time       `json:"started,omitzero"`
	Finished time.Time       `json:"finished,omitzero"`
	Level    Level           `json:"level,omitempty"` // most severe level; fail if Error is set
	Findings []ActionFinding `json:"findings,omitempty"`
	Error    string          `json:"error,omitempty"` // error that Run returned
}
