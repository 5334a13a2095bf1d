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
	Database bool // it is planned first: files are read after the database's snapshot is taken
}

// Job is a pipeline whose stages are made: what Build returns. It is used for
// one Plan or Run, by one goroutine, and closed afterwards.
type Job struct {
	Name       string
	Origins    []Origin
	Transforms []stage.RecordTransform
	Targets    []*Target
	Workers    int
	DryRun     bool
	Budget     map[stage.LossKind]int64
	MaxShrink  int    // by how many percent a part may be smaller than in the previous snapshot
	TempDir    string // for spools; made and removed by the caller
	Reporter   progress.Reporter
	// Apart refuses stages that work on the same place. It is asked before
	// anything is planned and again before each sink begins; nil: never.
	Apart func() error
	// Selection says what the sources read; see package selection.
	Selection selection.Selection
	Notes     []stage.Note // what is known before the run

	chosen    selected
	track     *tracker
	ledger    *ledger
	tallies   map[string]*tally
	facts     map[string]string
	snapshots []string // stored ones, that the sources read
	units     []work
	counts    []count
	closure   *moodle.Closure
	setuid    setuid
	// firstPause is how long a unit waits before its second attempt; 0: firstPause.
	firstPause time.Duration
	large      *semaphore.Weighted // held by a worker whose chunk is larger than others
	bytes      int64               // estimates
	rows       int64
	parts      []string
	left       map[string]int // units by part that no target holds
	recorded   recorded
	read       parts
	previous   []*stage.Holdings // of the targets that keep snapshots
	hollow     *stage.Loss       // the file pool is empty, which is no loss where no content is named
	lost       map[string]bool   // parts that are lost
}

// work is a unit and who reads it.
type work struct {
	stage.Unit
	from *Origin
}

// Close ends all stages.
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
	for _, t := range j.Transforms {
		if e, ok := t.(stage.Closer); ok {
			if err := e.Close(ctx); err != nil {
				errs = append(errs, fmt.Errorf("closing a transform: %w", err))
			}
		}
	}
	if j.closure != nil {
		errs = append(errs, j.closure.Close())
	}
	return errors.Join(errs...)
}

// Plan asks every source what there is and every sink whether it can take it.
// It changes nothing. What would be lost is in the plan, not an error.
func (j *Job) Plan(ctx context.Context) (*Plan, error) {
	j.tallies, j.facts = map[string]*tally{}, map[string]string{}
	j.left, j.recorded = map[string]int{}, newRecorded()
	j.lost, j.read.amounts = map[string]bool{}, map[string]stage.Amount{}
	j.large = semaphore.NewWeighted(1)
	if j.firstPause == 0 {
		j.firstPause = firstPause
	}
	if j.track == nil {
		j.track = startTracker(j.Reporter, j.Name)
		defer func() { j.track.end() }()
	}
	j.ledger = newLedger(j.track.lost)
	j.track.phase("plan")
	if err := j.apart(); err != nil {
		return nil, err
	}
	j.ledger.note(nil, j.Notes...)
	j.chosen = selected{j.Selection, map[string]bool{}}
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
		return nil, failure.New(failure.Refused, "the sources hold nothing to carry: no table has the prefix, no file was found; check prefix and dir")
	}
	j.ledger.note(nil, j.chosen.notes(plan.Tables)...)
	if err := j.chosen.fact(j.facts); err != nil {
		return nil, err
	}
	for part, units := range j.left {
		j.ledger.note(nil, stage.Note{Path: part, Text: fmt.Sprintf("left out: no sink holds it (%d units)", units)})
	}
	slices.Sort(j.parts)
	plan.Parts, plan.Snapshots = slices.Compact(j.parts), j.snapshots
	for _, t := range j.Targets {
		if err := t.prepare(ctx, plan, j.units, j.Transforms, j.ledger); err != nil {
			return nil, err
		}
	}
	if err := j.watchContents(plan); err != nil {
		return nil, err
	}
	if err := j.recall(ctx, plan); err != nil {
		return nil, err
	}
	losses, notes := j.ledger.report()
	out := &Plan{Name: j.Name, Facts: j.facts, Snapshots: j.snapshots, Parts: plan.Parts, Units: len(j.units), Rows: j.rows, Bytes: j.bytes, Losses: losses, Notes: notes}
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

// OverBudget is the error, of class failure.Refused, of a run that would lose more
// than accepted; nil if it would not.
func (j *Job) OverBudget() error { return j.ledger.over(j.Budget, failure.Refused, "would be") }

// take adds what one source has to the plan.
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
		}
	}
	for _, key := range []string{"dialect", "prefix"} {
		// A sink names indexes, and reads expressions, by the one that all tables have.
		had, before := j.facts[key]
		if has, here := inv.Facts[key]; before && here && had != has {
			return failure.New(failure.Refused, "%s: its tables have the %s %q, and those of another source %q: one run carries tables of one kind", o.Name, key, has, had)
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

// holds tells whether any target holds a part.
func (j *Job) holds(part string) bool {
	return slices.ContainsFunc(j.Targets, func(t *Target) bool { return t.holds(part) })
}

// watchContents prepares the check that every content that table files names is
// carried, where the run carries both.
func (j *Job) watchContents(plan *stage.Plan) error {
	t := j.tallies[moodle.FilesTable]
	if t == nil || t.schema.Column(moodle.ContentHashColumn) == nil || !slices.Contains(plan.Parts, stage.Filedir) {
		return nil
	}
	c, err := moodle.NewClosure(j.TempDir)
	if err != nil {
		return fmt.Errorf("checking that all file contents are there: %w", err)
	}
	j.closure = c
	return nil
}
