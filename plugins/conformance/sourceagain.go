package conformance

import (
	"errors"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

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

// afterFailure reads a unit whose writer failed before. A source may say that its
// snapshot is lost with that, but not give another unit.
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
