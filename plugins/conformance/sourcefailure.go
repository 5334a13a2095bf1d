package conformance

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// writerError fails each of the first calls of a unit in turn, each of a source
// of its own: an error ends the run.
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
				t.Fatalf("unit %s is not in another plan", u.ID)
			}
			r := f.recorder(t, again, again.Units[at])
			r.failAt, r.fail = nth, sentinel
			err := promptly(t, "a read whose writer failed", func() error { return r.read(t.Context(), s, nil) })
			if !errors.Is(err, sentinel) {
				t.Errorf("unit %s: call %d fails with %q, and Read returns %v, in which errors.Is does not find that", u.ID, nth, sentinel, err)
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
	if err := promptly(t, "a plan that was cancelled", func() error { _, err := s.Plan(ctx, stage.PlanRequest{}); return err }); !errors.Is(err, context.Canceled) {
		t.Errorf("a plan that was cancelled before: %v", err)
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
		err := promptly(t, "a read that was cancelled", func() error { return r.read(ctx, s, nil) })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("unit %s, cancelled while it was read: %v", u.ID, err)
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
		t.Skip("the site has no unit with anything in it")
	}
	return u
}

// abandoned cancels one Read after its last call but one, and closes.
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
	if err := promptly(t, "a read that was given up", func() error { return r.read(ctx, s, nil) }); err == nil {
		t.Errorf("unit %s was given up, and Read returns no error", u.ID)
	}
	err := promptly(t, "closing a source that was given up", func() error { return s.Close(context.WithoutCancel(t.Context())) })
	must(t, "closing a source that was given up", err)
	f.wantWhole(t, whole)
}

// wantWhole reads all once more.
func (f *SourceFixture) wantWhole(t testing.TB, whole map[string]*recorder) {
	t.Helper()
	_, again := f.all(t, 2, nil)
	for id, r := range whole {
		if again[id] == nil || !equal(r.items, again[id].items) {
			t.Errorf("unit %s is not the same when the source is opened again", id)
		}
	}
}

// crash kills in the first calls of the largest unit, and in its last.
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
			t.Errorf("unit %s: the process was killed at call %d, and Read returns no error and not all of it", u.ID, at)
		}
		closeCrashed(t, s)
	}
	f.wantWhole(t, whole)
}

// again reads each unit in part, then whole, twice, of one source.
func (f *SourceFixture) again(t testing.TB) {
	s, inv := f.planned(t)
	defer f.close(t, s)
	for _, u := range inv.Units {
		first := f.readUnit(t, s, inv, u, nil)
		second := f.readUnit(t, s, inv, u, nil)
		if !equal(first.items, second.items) {
			t.Errorf("unit %s is not the same when it is read again", u.ID)
		}
	}
	f.afterFailure(t)
}

// afterFailure reads a unit whose writer failed before: that must not cost the
// source its snapshot.
func (f *SourceFixture) afterFailure(t testing.TB) {
	inv, whole := f.all(t, 1, nil)
	u := longestUnit(t, inv, whole)
	s, inv := f.planned(t)
	defer f.close(t, s)
	broken := f.recorder(t, inv, u)
	broken.failAt, broken.fail = max(1, whole[u.ID].calls/2), stage.Temporary(errors.New("the target is away for a moment"), 0)
	err := broken.read(t.Context(), s, nil)
	if _, temporary := stage.IsTemporary(err); !temporary {
		t.Errorf("unit %s: the writer fails with an error that is temporary, and what the read returns is not: %v", u.ID, err)
	}
	r := f.recorder(t, inv, u)
	if err := r.read(t.Context(), s, nil); err != nil {
		t.Errorf("unit %s can't be read again after its writer failed: %v", u.ID, err)
	} else if !equal(r.items, whole[u.ID].items) {
		t.Errorf("unit %s is not the same when it is read again after its writer failed", u.ID)
	}
}

// join reads all units over a second source that joins the first one's snapshot.
func (f *SourceFixture) join(t testing.TB) {
	s, inv := f.planned(t)
	defer f.close(t, s)
	other := f.Open(t)
	defer f.close(t, other)
	joiner, ok := other.(stage.Joiner)
	if !ok || inv.Session == nil {
		if inv.Session != nil {
			t.Error("the plan has a session, and the source is no stage.Joiner")
		}
		return
	}
	if err := joiner.Join(t.Context(), stage.Session("no such session")); err == nil {
		t.Error("a session that is none is joined without an error")
	}
	must(t, "joining the snapshot", joiner.Join(t.Context(), inv.Session))
	for _, u := range inv.Units {
		if !equal(f.readUnit(t, s, inv, u, nil).items, f.readUnit(t, other, inv, u, nil).items) {
			t.Errorf("unit %s is not the same over a source that joined", u.ID)
		}
	}
}
