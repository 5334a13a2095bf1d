package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// Origin is a source of a job.
type Origin struct {
	Name     string // for messages
	Source   stage.Source
	Database bool // planned first, so that files are read after the database's snapshot is taken
}

// Job is a pipeline with its stages, as returned by Build. It is used for one Plan or
// Run by one goroutine, and must be closed.
type Job struct {
	Name       string
	Origins    []Origin
	Transforms []stage.RecordTransform
	Targets    []*Target
	Workers    int
	DryRun     bool
	Budget     map[stage.LossKind]int64
	MaxShrink  int    // maximum percentage by which a part may shrink since the previous snapshot
	TempDir    string // for temporary files; created and removed by the caller
	Reporter   progress.Reporter
	// Apart reports stages that use the same location as an error. It is called
	// before planning and again before each sink begins. nil: no check.
	Apart func() error
	// Selection says what the sources read.
	Selection selection.Selection
	// Standing is the part of Selection that no person chose, see stage.Expansion.
	Standing selection.Selection
	Notes    []stage.Note // known before the run
	// Actions are the actions before and after the run, in order.
	Actions []ActionStep
	// Confirm asks a person to confirm a text of an action and returns an error of class
	// failure.Refused if that is denied. nil: nothing is confirmed.
	Confirm func(ctx context.Context, action, text string) error
	// Redact hides secrets in texts that actions get or return. nil: nothing is hidden.
	Redact func(text string) string

	// LogDir is where the log of a run that changes a site is written.
	LogDir LogDir
	// Command returns the command line that repeats the run, for its log; nil if unknown.
	Command func(Again) string

	log     *runLog
	acted   []stage.ActionResult
	site    *stage.Plan // inventory of the sources
	refusal error       // refusal by an action in Plan

	chosen    selected
	track     *tracker
	ledger    *ledger
	tallies   map[string]*tally
	facts     map[string]string
	snapshots []string // snapshots that the sources read
	units     []work
	counts    []count
	contents  *moodle.ContentCheck
	setuid    setuid
	// firstPause is the pause before a unit's second attempt; 0: the constant
	// firstPause.
	firstPause time.Duration
	large      *semaphore.Weighted // held while a worker writes an oversized chunk
	bytes      int64               // estimates
	rows       int64
	parts      []string
	left       map[string]int // units by part that no target holds
	recorded   recorded
	read       parts
	previous   []*stage.Holdings // from the targets that keep snapshots
	hollow     *stage.Loss       // the file pool is empty, a loss only if the tables refer to contents
	lost       map[string]bool   // lost parts
}

// work is a unit and the source that reads it.
type work struct {
	stage.Unit
	from *Origin
}

// Close closes all stages.
func (j *Job) Close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for _, o := range j.Origins {
		if err := o.Source.Close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("closing %s: %w", o.Name, err))
		}
	}
	for _, t := range j.Targets {
		if err := t.Sink.Close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("closing %s: %w", t.Name, err))
		}
	}
	for _, t := range j.transforms() {
		if e, ok := t.(stage.Closer); ok {
			if err := e.Close(ctx); err != nil {
				errs = append(errs, fmt.Errorf("closing a transform: %w", err))
			}
		}
	}
	for _, a := range j.Actions {
		if c, ok := a.Action.(stage.Closer); ok {
			if err := c.Close(ctx); err != nil {
				errs = append(errs, fmt.Errorf("closing the action %s: %w", a.Name, err))
			}
		}
	}
	if j.contents != nil {
		errs = append(errs, j.contents.Close())
	}
	return errors.Join(errs...)
}

// Plan asks every source what it has and every sink whether it can hold it, and does
// a dry run of the actions before the run. It changes nothing. Losses and findings
// are part of the plan, not an error; see Refusal.
func (j *Job) Plan(ctx context.Context) (*Plan, error) {
	j.track = startTracker(j.Reporter, j.Name, newRunLog(j.redacted))
	defer func() { j.track.end() }()
	j.refusal = j.act(ctx, stage.ActionRequest{Moment: stage.MomentStart, DryRun: true}, true)
	p, err := j.plan(ctx)
	if err != nil {
		return nil, errors.Join(err, j.refusal)
	}
	bad := j.act(ctx, stage.ActionRequest{Moment: stage.MomentPlanned, DryRun: true, Plan: j.site}, true)
	j.refusal, p.Actions = errors.Join(j.refusal, bad), j.acted
	return p, nil
}

// plan fills the plan.
func (j *Job) plan(ctx context.Context) (*Plan, error) {
	j.tallies, j.facts = map[string]*tally{}, map[string]string{}
	j.left, j.recorded = map[string]int{}, newRecorded()
	j.lost, j.read.amounts = map[string]bool{}, map[string]stage.Amount{}
	j.large = semaphore.NewWeighted(1)
	if j.firstPause == 0 {
		j.firstPause = firstPause
	}
	j.ledger = newLedger(j.track.lost)
	j.ledger.noted = j.track.noted
	j.track.phase("plan")
	if err := j.apart(); err != nil {
		return nil, err
	}
	j.ledger.note(nil, j.Notes...)
	j.chosen = selected{j.Selection, j.Standing, map[string]bool{}}
	plan := &stage.Plan{Pipeline: j.Name, Workers: j.Workers, Facts: j.facts}
	slices.SortStableFunc(j.Origins, func(a, b Origin) int {
		switch {
		case a.Database == b.Database:
			return 0
		case a.Database:
			return -1
		}
		return 1
	})
	for i := range j.Origins {
		if err := j.take(ctx, &j.Origins[i], plan); err != nil {
			return nil, err
		}
	}
	if len(j.units) == 0 {
		return nil, failure.New(failure.Refused, "the sources are empty: no table has the prefix and no file was found; check prefix and dir")
	}
	j.ledger.note(nil, j.chosen.notes(plan.Tables)...)
	if err := j.chosen.fact(j.facts); err != nil {
		return nil, err
	}
	delete(j.left, stage.Site) // documents for people; only repositories hold them
	for part, units := range j.left {
		if part == stage.Site { // documents about the backup, not a part of the site
			continue
		}
		j.ledger.note(nil, stage.Note{Path: part, Text: fmt.Sprintf("skipped: no sink holds it (%d units)", units)})
	}
	j.site = plan
	slices.Sort(j.parts)
	plan.Parts, plan.Snapshots = slices.Compact(j.parts), j.snapshots
	if err := j.prepare(ctx, nil, j.Transforms, plan); err != nil {
		return nil, err
	}
	for _, t := range j.Targets {
		if err := j.prepare(ctx, t, t.Transforms, plan); err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	for _, t := range j.Targets {
		if err := t.prepare(ctx, plan, j.units, slices.Concat(j.Transforms, t.Transforms), j.ledger); err != nil {
			return nil, err
		}
	}
	if err := j.watchContents(plan); err != nil {
		return nil, err
	}
	if err := j.recall(ctx, plan); err != nil {
		return nil, err
	}
	plan.Bytes = j.bytes // after the targets, which sum up their own
	losses, notes := j.ledger.report()
	out := &Plan{Name: j.Name, Facts: stage.PublicFacts(j.facts), Snapshots: j.snapshots, Parts: plan.Parts, Units: len(j.units), Rows: j.rows, Bytes: j.bytes, Losses: losses, Notes: notes}
	for _, info := range plan.Tables {
		out.Tables = append(out.Tables, TablePlan{Name: info.Schema.Name, Rows: info.Rows, Bytes: info.Bytes, Source: info.Schema})
	}
	for _, t := range j.Targets {
		tp := TargetPlan{Name: t.Name, Dialect: t.Dialect, Parts: t.plan.Parts}
		for _, info := range t.plan.Tables {
			tp.Tables = append(tp.Tables, info.Schema)
		}
		out.Targets = append(out.Targets, tp)
	}
	return out, nil
}

func (j *Job) apart() error {
	if j.Apart == nil {
		return nil
	}
	return j.Apart()
}

// Refusal returns an error of class failure.Refused if a run of the plan would lose more
// than is accepted or be refused by an action, else nil.
func (j *Job) Refusal() error { return errors.Join(j.overBudget(), refused(j.refusal)) }

func (j *Job) overBudget() error { return j.ledger.over(j.Budget, failure.Refused, "would be") }

// take adds the inventory of one source to the plan.
func (j *Job) take(ctx context.Context, o *Origin, plan *stage.Plan) error {
	inv, err := o.Source.Plan(j.track.stepped(ctx, o.Name), stage.PlanRequest{Pipeline: j.Name, Selection: j.Selection})
	if err != nil {
		return fmt.Errorf("%s: %w", o.Name, err)
	}
	notes, err := j.chosen.exclude(inv.Excluded)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Name, err)
	}
	j.ledger.note(nil, notes...)
	for _, info := range inv.Tables {
		if !j.holds(stage.DB) {
			break
		}
		name := info.Schema.Name
		if j.tallies[name] != nil {
			return failure.New(failure.Refused, "%s: table %s comes from two sources", o.Name, name)
		}
		if j.chosen.excludes(stage.DB + "/" + name) {
			return failure.New(failure.Refused, "%s: table %s: %w", o.Name, name, errIgnored)
		}
		filter, err := j.Selection.Filter(info.Schema)
		if err != nil {
			return fmt.Errorf("%s: %w", o.Name, err)
		}
		j.tallies[name] = &tally{schema: info.Schema, stored: info.Proof, filter: filter}
		if c, ok := o.Source.(stage.Counter); ok && info.Proof == nil {
			j.counts = append(j.counts, count{table: name, by: c, from: o})
		}
		plan.Tables = append(plan.Tables, info)
	}
	for _, u := range inv.Units {
		if !j.holds(u.Part) {
			j.left[u.Part]++
			continue
		}
		j.units = append(j.units, work{u, o})
		j.bytes += u.Bytes
		j.parts = append(j.parts, u.Part)
		if u.Part == stage.DB {
			j.rows += u.Rows
		} else {
			plan.Files += u.Rows
		}
		plan.Bytes += u.Bytes
	}
	for _, key := range []string{"dialect", "prefix"} {
		// A sink uses one prefix and one kind for all tables, to name indexes and to
		// read expressions.
		had, before := j.facts[key]
		if has, here := inv.Facts[key]; before && here && had != has {
			return failure.New(failure.Refused, "%s: the tables have the %s %q, but those of another source %q; use one pipeline for each", o.Name, key, has, had)
		}
	}
	maps.Copy(j.facts, inv.Facts)
	if inv.Location != "" {
		plan.Locations = append(plan.Locations, inv.Location)
	}
	if inv.Snapshot != "" {
		j.snapshots = append(j.snapshots, inv.Snapshot)
	}
	for _, l := range inv.Recorded {
		if part := partOf(l.Path); stage.IsPart(part) && !j.holds(part) || j.chosen.unwanted(l) {
			continue
		}
		j.ledger.lose(nil, j.recorded.add(l))
	}
	for _, l := range inv.Losses {
		switch {
		case j.chosen.excludes(l.Path):
		case l.Kind != stage.LossPart || !j.holds(l.Path):
			j.ledger.lose(nil, l)
		case l.Path == stage.Filedir:
			j.hollow = &l
		default:
			j.losePart(l.Path, l.Reason)
		}
	}
	j.ledger.note(nil, inv.Notes...)
	return nil
}

// transforms returns the transforms of all targets.
func (j *Job) transforms() []stage.RecordTransform {
	all := slices.Clone(j.Transforms)
	for _, t := range j.Targets {
		all = append(all, t.Transforms...)
	}
	return all
}

// prepare prepares the transforms that depend on the plan. They are those of a target, or
// of all targets if to is nil.
func (j *Job) prepare(ctx context.Context, to *Target, transforms []stage.RecordTransform, plan *stage.Plan) error {
	for _, t := range transforms {
		p, ok := t.(stage.Preparer)
		if !ok {
			continue
		}
		found, err := p.Prepare(ctx, plan)
		if err != nil {
			return fmt.Errorf("preparing a transform: %w", err)
		}
		j.ledger.lose(to, found.Losses...)
		j.ledger.note(to, found.Notes...)
	}
	return nil
}

// holds reports whether any target holds a part.
func (j *Job) holds(part string) bool {
	return slices.ContainsFunc(j.Targets, func(t *Target) bool { return t.holds(part) })
}

// watchContents starts the check that every content that the table files refers to is
// delivered, if the run reads both.
func (j *Job) watchContents(plan *stage.Plan) error {
	t := j.tallies[moodle.FilesTable]
	if t == nil || t.schema.Column(moodle.ContentHashColumn) == nil || !slices.Contains(plan.Parts, stage.Filedir) {
		return nil
	}
	c, err := moodle.NewContentCheck(j.TempDir)
	if err != nil {
		return fmt.Errorf("checking that no file content is missing: %w", err)
	}
	j.contents = c
	return nil
}
