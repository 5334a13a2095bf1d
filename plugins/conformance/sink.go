package conformance

import (
	"context"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// SinkFixture is something small to write and a place to write it to.
type SinkFixture struct {
	// Place makes an empty target and returns how to open sinks on it, one after
	// the other, and a look at it by other means than the sink.
	Place func(t testing.TB) Target
	// Plan and Units are what is written. Content that needs several chunks,
	// empty entries and an empty unit belong to it.
	Plan  *stage.Plan
	Units []UnitItems
	// Resumes tells that an aborted run leaves nothing that could pass for whole,
	// so that the next run is not refused but goes on: a repository.
	Resumes bool
	// OnePlace tells that Place gives one and the same target every time, empty
	// at first. One whole run is then made of it; the checks that need an empty
	// target follow, and skip if the sink refuses what is there.
	OnePlace bool
	// Process adds the checks that kill. It may be nil.
	Process Process

	effort effort
}

// Target is a place that sinks write to.
type Target struct {
	Open func() stage.Sink
	// Untouched fails the test if anything is in the target. It may be nil.
	Untouched func(t testing.TB)
	// Holds fails the test unless exactly these items are in the target. It may
	// be nil: then nothing but the sink's own proof tells.
	Holds func(t testing.TB, items []Item)
}

// UnitItems is a unit and what comes in it.
type UnitItems struct {
	Unit  stage.Unit
	Items []Item
}

// Sink tests a sink.
func Sink(t *testing.T, f SinkFixture) { runAll(t, SinkChecks(f)) }

// SinkChecks lists the checks of a sink.
func SinkChecks(f SinkFixture) []Check {
	check := func(id, why string, test func(t testing.TB, target Target) look) Check {
		return Check{ID: id, Why: why, Run: func(t testing.TB) {
			target := f.Place(t)
			var after look
			leakless(t, f.effort.leakTimeout(), func() { after = test(t, target) })
			after(t, target) // the fixture may look through connections of its own
		}}
	}
	checks := []Check{
		check("sink/check", "Check tells whether the plan can be written and changes nothing, however often: a dry run must not touch a site.", f.check),
		check("sink/cancelled-check", "A Check whose context has ended returns the context's error and changes nothing: a run that was stopped must stop.", f.cancelledCheck),
		check("sink/close", "A sink can be given up and closed before it began, twice too, and leaves nothing: another stage may have failed first.", f.unbegun),
		check("sink/whole", "All that is written, by several units at once, is there after Publish, and the proof tells the rows that were written: that is a restore.", f.whole),
		check("sink/dropped", "An entry that was dropped leaves nothing, and can come again: a file may vanish while it is read.", f.dropped),
		check("sink/unit-given-up", "A unit given up with Abort, twice too, leaves nothing of itself: begun anew it is there once. Else rows are there twice, or in part.", f.givenUp),
		check("sink/unit-repeated", "A unit whose Commit failed, or that was given up after its first piece, is begun again and is there once: the run does so when a connection was lost, and must not double rows.", f.repeated),
		check("sink/aborted", "A run that was given up in the middle leaves a target that nobody takes for whole, and the next run is told so: half a site looks like a site.", func(t testing.TB, target Target) look { return f.aborted(t, target, false) }),
		check("sink/aborted-after-finish", "A run whose proof failed leaves a target that nobody takes for whole, also after Finish.", func(t testing.TB, target Target) look { return f.aborted(t, target, true) }),
		check("sink/cancelled", "A Commit whose context has ended returns the context's error promptly, and the run can be given up: a run that was stopped must stop.", f.cancelledCommit),
	}
	if !f.Resumes { // else it adds to what is there
		checks = append(checks, check("sink/swap", "With Plan.Replace swap the target holds the old site, whole, until Publish, also when the run is given up after its proof, and then the new one alone; or Check refuses it. A restore that fails must not cost the site.", f.swap))
	}
	if f.Process != nil {
		checks = append(checks, check("crash/write", "When the process is killed in the middle of a unit, no run comes out as whole, no call hangs, and the sink can be opened again.", f.crash))
	}
	return checks
}

func (f *SinkFixture) items() (all []Item) {
	for _, u := range f.Units {
		all = append(all, u.Items...)
	}
	return all
}

func closeSink(t testing.TB, s stage.Sink) {
	t.Helper()
	if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("close: %v", err)
	}
}

// begun checks and begins.
func (f *SinkFixture) begun(t testing.TB, target Target) stage.Sink {
	t.Helper()
	s := target.Open()
	t.Cleanup(func() { closeSink(t, s) }) // also after Fatal; closing twice must not hurt
	_, err := s.Check(t.Context(), f.Plan)
	if f.OnePlace && failure.Of(err) == failure.Refused {
		t.Skipf("the check needs an empty target, or a sink that replaces what is there: %v", err)
	}
	must(t, "check", err)
	must(t, "begin", s.Begin(t.Context(), f.Plan))
	return s
}

// look is how a check ends: a look at the target.
type look func(t testing.TB, target Target)

func (f *SinkFixture) untouched(t testing.TB, target Target) {
	t.Helper()
	if target.Untouched != nil {
		target.Untouched(t)
	}
}

func (f *SinkFixture) holds(t testing.TB, target Target) {
	t.Helper()
	if target.Holds != nil {
		target.Holds(t, f.items())
	}
}

// unseen is no look: what is there is not of interest.
func (f *SinkFixture) unseen(testing.TB, Target) {}
