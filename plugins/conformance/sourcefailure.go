package conformance

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// writerError lets each of the first calls of a unit fail in turn, each with a new source,
// because an error ends the run.
func (f *SourceFixture) writerError(t testing.TB) {
	const calls, units = 5, 16
	sentinel := errors.New("the target is full")
	inv, whole := f.all(t, 1, nil)
	for nth := 1; nth <= calls; nth++ {
		tried := 0
		for _, u := range inv.Units {
			if whole[u.ID].calls < nth || tried == units {
				continue
			}
			tried++
			s, again := f.planned(t)
			at := slices.IndexFunc(again.Units, func(other stage.Unit) bool { return other.ID == u.ID })
			if at < 0 {
				f.close(t, s)
				t.Fatalf("unit %s is missing in another plan", u.ID)
			}
			r := f.recorder(t, again, again.Units[at])
			r.failAt, r.fail = nth, sentinel
			err := promptly(t, "a read with a failing writer", func() error { return r.read(t.Context(), s, nil) })
			if !errors.Is(err, sentinel) {
				t.Errorf("unit %s: call %d failed with %q, but the read returned %v, which does not wrap it", u.ID, nth, sentinel, err)
			}
			f.close(t, s)
		}
	}
}

func (f *SourceFixture) cancelledPlan(t testing.TB) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := f.Open(t)
	defer f.close(t, s)
	if err := promptly(t, "a cancelled plan", func() error { _, err := s.Plan(ctx, stage.PlanRequest{}); return err }); !errors.Is(err, context.Canceled) {
		t.Errorf("plan with a cancelled context: %v", err)
	}
}

func (f *SourceFixture) cancelledRead(t testing.TB) {
	_, whole := f.all(t, 1, nil)
	s, inv := f.planned(t)
	defer f.close(t, s)
	for _, u := range inv.Units {
		if whole[u.ID].calls == 0 {
			continue
		}
		ctx, cancel := context.WithCancel(t.Context())
		r := f.recorder(t, inv, u)
		r.before = func(ctx context.Context) error {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}
		err := promptly(t, "a cancelled read", func() error { return r.read(ctx, s, nil) })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("unit %s, cancelled while reading: %v", u.ID, err)
		}
		cancel()
	}
}

// longestUnit returns the unit with the most calls.
func longestUnit(t testing.TB, inv *stage.Inventory, whole map[string]*recorder) (u stage.Unit) {
	t.Helper()
	calls := 0
	for _, unit := range inv.Units {
		if r := whole[unit.ID]; r != nil && r.calls > calls {
			u, calls = unit, r.calls
		}
	}
	if calls == 0 {
		t.Skip("the site has no unit with content")
	}
	return u
}

// abandoned cancels one read before its last call, and closes the source.
func (f *SourceFixture) abandoned(t testing.TB) {
	inv, whole := f.all(t, 1, nil)
	u := longestUnit(t, inv, whole)
	s, inv := f.planned(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := f.recorder(t, inv, u)
	r.before = func(ctx context.Context) error {
		if r.calls < whole[u.ID].calls-1 {
			return nil
		}
		cancel()
		return ctx.Err()
	}
	if err := promptly(t, "an abandoned read", func() error { return r.read(ctx, s, nil) }); err == nil {
		t.Errorf("unit %s was abandoned, but the read returned no error", u.ID)
	}
	err := promptly(t, "closing a source after an abandoned read", func() error { return s.Close(context.WithoutCancel(t.Context())) })
	must(t, "closing a source after an abandoned read", err)
	f.wantWhole(t, whole)
}

// wantWhole reads everything again.
func (f *SourceFixture) wantWhole(t testing.TB, whole map[string]*recorder) {
	t.Helper()
	_, again := f.all(t, 2, nil)
	for id, r := range whole {
		if again[id] == nil || !equal(r.items, again[id].items) {
			t.Errorf("unit %s differs when the source is opened again", id)
		}
	}
}

// crash kills the process in the first calls of the largest unit, and in its last.
func (f *SourceFixture) crash(t testing.TB) {
	inv, whole := f.all(t, 1, nil)
	u := longestUnit(t, inv, whole)
	for _, at := range []int{1, 2, whole[u.ID].calls/2 + 1, whole[u.ID].calls} {
		s, inv := f.planned(t)
		r := f.recorder(t, inv, u)
		r.before = func(context.Context) error {
			if r.calls == at {
				if err := f.Process.Kill(); err != nil {
					t.Errorf("kill: %v", err)
				}
			}
			return nil
		}
		err := within(t, 2*grace, "a read whose process was killed", func() error { return r.read(t.Context(), s, nil) })
		if err != nil {
			t.Logf("a read whose process was killed: %v", err)
		} else if !equal(r.items, whole[u.ID].items) {
			t.Errorf("unit %s: the process was killed at call %d, but the read returned part of the unit without an error", u.ID, at)
		}
		closeCrashed(t, s)
	}
	f.wantWhole(t, whole)
}

// again reads each unit with one source in part, then twice to its end.
func (f *SourceFixture) again(t testing.TB) {
	s, inv := f.planned(t)
	defer f.close(t, s)
	for _, u := range inv.Units {
		first := f.readUnit(t, s, inv, u, nil)
		second := f.readUnit(t, s, inv, u, nil)
		if !equal(first.items, second.items) {
			t.Errorf("unit %s differs when it is read again", u.ID)
		}
	}
	f.afterFailure(t)
}

// afterFailure reads a unit again after its writer failed. The source must still have its
// snapshot.
func (f *SourceFixture) afterFailure(t testing.TB) {
	inv, whole := f.all(t, 1, nil)
	u := longestUnit(t, inv, whole)
	s, inv := f.planned(t)
	defer f.close(t, s)
	broken := f.recorder(t, inv, u)
	broken.failAt, broken.fail = max(1, whole[u.ID].calls/2), stage.Temporary(errors.New("the target is temporarily unavailable"), 0)
	err := broken.read(t.Context(), s, nil)
	if _, temporary := stage.IsTemporary(err); !temporary {
		t.Errorf("unit %s: the writer failed with a temporary error, but the error of the read is not temporary: %v", u.ID, err)
	}
	r := f.recorder(t, inv, u)
	if err := r.read(t.Context(), s, nil); err != nil {
		t.Errorf("unit %s can't be read again after its writer failed: %v", u.ID, err)
	} else if !equal(r.items, whole[u.ID].items) {
		t.Errorf("unit %s differs when it is read again after its writer failed", u.ID)
	}
}

// join reads all units with a second source that joins the snapshot of the first.
func (f *SourceFixture) join(t testing.TB) {
	s, inv := f.planned(t)
	defer f.close(t, s)
	other := f.Open(t)
	defer f.close(t, other)
	joiner, ok := other.(stage.Joiner)
	if !ok || inv.Session == nil {
		if inv.Session != nil {
			t.Error("the plan has a session, but the source is not a stage.Joiner")
		}
		return
	}
	if err := joiner.Join(t.Context(), stage.Session("no such session")); err == nil {
		t.Error("an invalid session is joined without an error")
	}
	must(t, "joining the snapshot", joiner.Join(t.Context(), inv.Session))
	for _, u := range inv.Units {
		if !equal(f.readUnit(t, s, inv, u, nil).items, f.readUnit(t, other, inv, u, nil).items) {
			t.Errorf("unit %s differs in a source that joined", u.ID)
		}
	}
}
