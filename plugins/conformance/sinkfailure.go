package conformance

import (
	"context"
	"errors"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

func (f *SinkFixture) check(t testing.TB, target Target) look {
	for range 2 {
		s := target.Open()
		for range 2 {
			found, err := s.Check(t.Context(), f.Plan)
			if err != nil {
				t.Errorf("check of an empty target: %v", err)
			}
			for _, l := range found.Losses {
				if err := checkLoss(l); err != nil {
					t.Error(err)
				}
			}
		}
		closeSink(t, s)
	}
	return f.untouched
}

func (f *SinkFixture) cancelledCheck(t testing.TB, target Target) look {
	s := target.Open()
	defer closeSink(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := promptly(t, "a cancelled check", func() error { _, err := s.Check(ctx, f.Plan); return err })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled check: %v", err)
	}
	return f.untouched
}

// unbegun closes a sink that was never used, and one that is aborted after Check.
func (f *SinkFixture) unbegun(t testing.TB, target Target) look {
	for _, checked := range []bool{false, true} {
		s := target.Open()
		if checked {
			_, err := s.Check(t.Context(), f.Plan)
			must(t, "check", err)
			for range 2 {
				must(t, "abort", s.Abort(t.Context()))
			}
		}
		for range 2 {
			closeSink(t, s)
		}
	}
	return f.untouched
}

// aborted aborts a run and expects the next run to be refused.
func (f *SinkFixture) aborted(t testing.TB, target Target, finished bool) look {
	s := f.begun(t, target)
	for i, u := range f.Units {
		if finished || i == 0 {
			must(t, "writing unit "+u.Unit.ID, writeUnit(t.Context(), s, u, false))
			continue
		}
		w, err := openUnit(t.Context(), s, u.Unit) // aborted in the middle
		must(t, "unit "+u.Unit.ID, err)
		must(t, "write", w.begin(t.Context(), u.Items))
		for range 2 {
			must(t, "aborting unit "+u.Unit.ID, w.Abort(t.Context()))
		}
	}
	if finished {
		f.finish(t, s)
	}
	for range 2 {
		must(t, "abort", s.Abort(t.Context()))
	}
	closeSink(t, s)
	again := target.Open()
	defer closeSink(t, again)
	_, err := again.Check(t.Context(), f.Plan)
	switch class := failure.Of(err); {
	case class == failure.Refused && !f.Resumes:
	case err == nil && (f.Resumes || f.OnePlace): // it may replace existing content
	case f.Resumes:
		t.Errorf("check after an aborted run: %v", err)
	default:
		t.Errorf("Check must refuse the target of an aborted run and say why: %v", err)
	}
	return f.unseen
}

func (f *SinkFixture) cancelledCommit(t testing.TB, target Target) look {
	s := f.begun(t, target)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, u := range f.Units {
		if len(u.Items) == 0 {
			continue
		}
		w, err := openUnit(ctx, s, u.Unit)
		must(t, "unit", err)
		must(t, "writing unit "+u.Unit.ID, w.put(ctx, u.Items, false))
		cancel()
		err = promptly(t, "a cancelled commit", func() error { _, err := w.Commit(ctx); return err })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled commit: %v", err)
		}
		must(t, "abort", w.Abort(t.Context()))
		break
	}
	must(t, "abort", s.Abort(t.Context()))
	closeSink(t, s)
	return f.unseen
}

// crash kills the process before each unit's Commit and expects an error before Publish.
func (f *SinkFixture) crash(t testing.TB, target Target) look {
	s := target.Open()
	_, err := s.Check(t.Context(), f.Plan)
	if f.OnePlace && failure.Of(err) == failure.Refused {
		closeSink(t, s)
		t.Skipf("the check needs an empty target or a sink that replaces existing content: %v", err)
	}
	must(t, "check", err)
	must(t, "begin", s.Begin(t.Context(), f.Plan))
	err = within(t, 4*grace, "a run whose process was killed", func() error { return f.interrupted(t.Context(), s) })
	if err == nil {
		t.Error("the process was killed in the middle of a unit, but no call before Publish returned an error")
	} else {
		t.Logf("a run whose process was killed: %v", err)
	}
	if err := promptly(t, "aborting after the process was killed", func() error { return s.Abort(context.WithoutCancel(t.Context())) }); err != nil {
		t.Logf("aborting after the process was killed: %v", err)
	}
	closeCrashed(t, s)
	again := target.Open()
	defer closeSink(t, again)
	if _, err := again.Check(t.Context(), f.Plan); err != nil && failure.Of(err) != failure.Refused {
		t.Errorf("check after the process was killed: %v", err)
	}
	return f.unseen
}

// interrupted kills the process in the middle of the first non-empty unit, and continues.
func (f *SinkFixture) interrupted(ctx context.Context, s stage.Sink) error {
	killed := false
	for _, u := range f.Units {
		if killed || len(u.Items) == 0 {
			if err := writeUnit(ctx, s, u, false); err != nil {
				return err
			}
			continue
		}
		w, err := openUnit(ctx, s, u.Unit)
		if err != nil {
			return err
		}
		if err := w.put(ctx, u.Items, false); err != nil {
			return err
		}
		if err := f.Process.Kill(); err != nil {
			return err
		}
		killed = true
		if _, err := w.Commit(ctx); err != nil {
			return errors.Join(err, w.Abort(ctx))
		}
	}
	if err := s.Finish(ctx, &stage.Outcome{Facts: f.Plan.Facts}); err != nil {
		return err
	}
	_, err := s.Prove(ctx)
	return err
}
