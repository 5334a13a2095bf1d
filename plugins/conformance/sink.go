package conformance

import (
	"context"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// SinkFixture has something small to write and a target for it.
type SinkFixture struct {
	// Place makes an empty target. It returns functions that open sinks on it, one after
	// the other, and that inspect it independently of the sink.
	Place func(t testing.TB) Target
	// Plan and Units are written. They must include content of several chunks, empty
	// entries and an empty unit.
	Plan  *stage.Plan
	Units []UnitItems
	// Resumes says that an aborted run leaves nothing that looks complete, so that the next
	// run is not refused but continues: a repository.
	Resumes bool
	// OnePlace says that Place returns the same target each time, empty at first. One
	// complete run is made with it. The checks that need an empty target follow, and are
	// skipped if the sink refuses the existing content.
	OnePlace bool
	// Process enables the checks that kill the process. It may be nil.
	Process Process

	effort effort
}

// Target is a place that sinks write to.
type Target struct {
	Open func() stage.Sink
	// Untouched fails the test if the target contains anything. It may be nil.
	Untouched func(t testing.TB)
	// Holds fails the test unless the target contains exactly these items. If it is nil,
	// only the sink's own proof is checked.
	Holds func(t testing.TB, items []Item)
}

// UnitItems is a unit and its content.
type UnitItems struct {
	Unit  stage.Unit
	Items []Item
}

// Sink tests a sink.
func Sink(t *testing.T, f SinkFixture) { runAll(t, SinkChecks(f)) }

// SinkChecks returns the checks of a sink.
func SinkChecks(f SinkFixture) []Check {
	check := func(id, why string, test func(t testing.TB, target Target) look) Check {
		return Check{ID: id, Why: why, Run: func(t testing.TB) {
			target := f.Place(t)
			var after look
			leakless(t, f.effort.leakTimeout(), func() { after = test(t, target) })
			after(t, target) // the fixture may use its own connections
		}}
	}
	checks := []Check{
		check("sink/check", "Check reports whether the plan can be written and changes nothing, however often it is called. A dry run must not touch a site.", f.check),
		check("sink/cancelled-check", "A Check whose context has ended returns the context's error and changes nothing. A cancelled run must stop.", f.cancelledCheck),
		check("sink/close", "A sink can be aborted and closed before Begin, even twice, and leaves nothing. Another stage may have failed first.", f.unbegun),
		check("sink/whole", "Everything written, in several units at once, is in the target after Publish, and the proof matches the rows written. That is a restore.", f.whole),
		check("sink/dropped", "A dropped entry leaves nothing and can be written again. A file may vanish while it is read.", f.dropped),
		check("sink/unit-given-up", "A unit ended by Abort, even twice, leaves nothing; started again, its content is stored once. Otherwise rows are duplicated or incomplete.", f.givenUp),
		check("sink/unit-repeated", "A unit that is started again after a failed Commit, or after an Abort in the middle, is stored once. The run retries units after a lost connection and must not duplicate rows.", f.repeated),
		check("sink/aborted", "A run aborted in the middle leaves a target that is marked incomplete, and the next run is refused. Half a site can look like a whole one.", func(t testing.TB, target Target) look { return f.aborted(t, target, false) }),
		check("sink/aborted-after-finish", "A run aborted after Finish, because its proof failed, leaves a target that is marked incomplete.", func(t testing.TB, target Target) look { return f.aborted(t, target, true) }),
		check("sink/cancelled", "A Commit whose context has ended returns the context's error promptly, and the run can be aborted. A cancelled run must stop.", f.cancelledCommit),
	}
	if !f.Resumes { // it adds to the existing content
		checks = append(checks, check("sink/swap", "With Plan.Replace swap the target holds the complete old site until Publish, even if the run is aborted after its proof, and only the new site afterwards; or Check refuses. A failed restore must not destroy the site.", f.swap))
	}
	if f.Process != nil {
		checks = append(checks, check("crash/write", "If the process is killed in the middle of a unit, the run fails, no call hangs, and the sink can be opened again.", f.crash))
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

// begun calls Check and Begin.
func (f *SinkFixture) begun(t testing.TB, target Target) stage.Sink {
	t.Helper()
	s := target.Open()
	t.Cleanup(func() { closeSink(t, s) }) // also after Fatal; closing twice must be harmless
	_, err := s.Check(t.Context(), f.Plan)
	if f.OnePlace && failure.Of(err) == failure.Refused {
		t.Skipf("the check needs an empty target or a sink that replaces existing content: %v", err)
	}
	must(t, "check", err)
	must(t, "begin", s.Begin(t.Context(), f.Plan))
	return s
}

// look inspects the target at the end of a check.
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

// unseen is a look that accepts any content.
func (f *SinkFixture) unseen(testing.TB, Target) {}
