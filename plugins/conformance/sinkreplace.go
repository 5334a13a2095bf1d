package conformance

import (
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// swap completes a target, then replaces it with part of its content: first in a run that
// is aborted after its proof, then in one that is published.
func (f *SinkFixture) swap(t testing.TB, target Target) look {
	f.whole(t, target)
	next := f.next()
	for _, publish := range []bool{false, true} {
		s := target.Open()
		t.Cleanup(func() { closeSink(t, s) })
		if _, err := s.Check(t.Context(), next.Plan); failure.Of(err) == failure.Refused {
			t.Logf("replacing is refused: %v", err)
			return f.holds
		} else {
			must(t, "check of a swap", err)
		}
		must(t, "begin of a swap", s.Begin(t.Context(), next.Plan))
		for _, u := range next.Units {
			must(t, "writing unit "+u.Unit.ID, writeUnit(t.Context(), s, u, false))
		}
		if publish {
			next.publish(t, s)
			break
		}
		next.finish(t, s)
		must(t, "aborting a swap", s.Abort(t.Context()))
		closeSink(t, s)
		f.holds(t, target)
	}
	return next.holds
}

// next returns a fixture for a later run, with the items of every other unit.
func (f *SinkFixture) next() *SinkFixture {
	next := *f
	plan := *f.Plan
	plan.Replace = stage.ReplaceSwap
	next.Plan, next.Units = &plan, slices.Clone(f.Units)
	for i := range next.Units {
		if i%2 == 1 {
			next.Units[i].Items = nil
		}
	}
	return &next
}
