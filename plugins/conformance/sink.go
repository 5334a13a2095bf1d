package conformance

import (
	"bytes"
	"context"
	"errors"
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
}

// Target is a place that sinks write to.
type Target struct {
	Open func() stage.Sink
	// Untouched fails the test if anything is in the target.
	Untouched func(t testing.TB)
	// Holds fails the test unless exactly these items are in the target.
	Holds func(t testing.TB, items []Item)
}

// UnitItems is a unit and what comes in it.
type UnitItems struct {
	Unit  stage.Unit
	Items []Item
}

// Sink tests a sink.
func Sink(t *testing.T, f SinkFixture) {
	t.Run("check changes nothing", func(t *testing.T) { f.check(t) })
	t.Run("whole run", func(t *testing.T) { f.whole(t) })
	t.Run("dropped entries", func(t *testing.T) { f.dropped(t) })
	t.Run("aborted run", func(t *testing.T) { f.aborted(t, false) })
	t.Run("aborted after finish", func(t *testing.T) { f.aborted(t, true) })
	t.Run("cancelled", func(t *testing.T) { f.cancelled(t) })
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

func must(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func (f *SinkFixture) check(t *testing.T) {
	target := f.Place(t)
	leakless(t, func() {
		for range 2 {
			s := target.Open()
			for range 2 {
				losses, _, err := s.Check(t.Context(), f.Plan)
				if err != nil {
					t.Errorf("check of an empty target: %v", err)
				}
				for _, l := range losses {
					if err := checkLoss(l); err != nil {
						t.Error(err)
					}
				}
			}
			closeSink(t, s)
		}
	})
	target.Untouched(t)
}

// begun checks and begins.
func (f *SinkFixture) begun(t testing.TB, target Target) stage.Sink {
	t.Helper()
	s := target.Open()
	t.Cleanup(func() { closeSink(t, s) }) // also after Fatal; closing twice must not hurt
	_, _, err := s.Check(t.Context(), f.Plan)
	must(t, "check", err)
	must(t, "begin", s.Begin(t.Context(), f.Plan))
	return s
}

// put writes items. The bytes of each chunk are spoilt as soon as Write returns.
func put(ctx context.Context, w stage.Writer, items []Item, drop bool) error {
	var buf []byte
	for _, item := range items {
		for pass := range 2 {
			if pass == 0 && (!drop || item.Entry.Kind != stage.File) {
				continue
			}
			if err := w.Open(ctx, item.Entry); err != nil {
				return err
			}
			for _, c := range item.Chunks {
				buf = append(buf[:0], c.Data...)
				if err := w.Write(ctx, stage.Chunk{Data: buf, Rows: c.Rows}); err != nil {
					return err
				}
				copy(buf, bytes.Repeat([]byte{0xdb}, len(buf)))
			}
			if pass == 0 {
				if err := w.Drop(ctx); err != nil {
					return err
				}
				continue
			}
			if err := w.Close(ctx, item.Digest); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeUnit writes and commits a unit.
func writeUnit(ctx context.Context, s stage.Sink, u UnitItems, drop bool) error {
	w, err := s.Unit(ctx, u.Unit)
	if err != nil {
		return err
	}
	if err := put(ctx, w, u.Items, drop); err != nil {
		return errors.Join(err, w.Abort(ctx))
	}
	if err := w.Commit(ctx); err != nil {
		return errors.Join(err, w.Abort(ctx))
	}
	return w.Abort(ctx) // does nothing after Commit
}

func (f *SinkFixture) finish(t testing.TB, s stage.Sink) {
	t.Helper()
	o := &stage.Outcome{Facts: f.Plan.Facts}
	sums := map[string]*stage.TableProof{}
	for _, info := range f.Plan.Tables {
		o.Tables = append(o.Tables, stage.TableProof{Schema: info.Schema})
	}
	for i := range o.Tables {
		sums[stage.DB+"/"+o.Tables[i].Schema.Name] = &o.Tables[i]
	}
	for _, item := range f.items() {
		if p := sums[item.Entry.Path]; p != nil {
			must(t, "adding up rows", p.Sum.AddChunk(item.Content()))
		}
	}
	must(t, "finish", s.Finish(t.Context(), o))
	proofs, err := s.Prove(t.Context())
	must(t, "prove", err)
	for _, p := range proofs {
		if want := sums[stage.DB+"/"+p.Schema.Name]; want == nil || p.Sum != want.Sum {
			t.Errorf("the proof of table %s is %v, and %+v was written", p.Schema.Name, p.Sum, want)
		}
	}
}

// whole writes all units at once.
func (f *SinkFixture) whole(t *testing.T) {
	target := f.Place(t)
	leakless(t, func() {
		s := f.begun(t, target)
		done := make(chan error)
		for _, u := range f.Units {
			go func() { done <- writeUnit(t.Context(), s, u, false) }()
		}
		for range f.Units {
			if err := <-done; err != nil {
				t.Errorf("writing a unit: %v", err)
			}
		}
		f.finish(t, s)
		must(t, "publish", s.Publish(t.Context()))
		closeSink(t, s)
	})
	target.Holds(t, f.items())
}

// dropped writes every file in vain first.
func (f *SinkFixture) dropped(t *testing.T) {
	target := f.Place(t)
	leakless(t, func() {
		s := f.begun(t, target)
		for _, u := range f.Units {
			must(t, "writing unit "+u.Unit.ID, writeUnit(t.Context(), s, u, true))
		}
		f.finish(t, s)
		must(t, "publish", s.Publish(t.Context()))
		closeSink(t, s)
	})
	target.Holds(t, f.items())
}

// aborted gives up, and expects the next run to be refused.
func (f *SinkFixture) aborted(t *testing.T, finished bool) {
	target := f.Place(t)
	leakless(t, func() {
		s := f.begun(t, target)
		for i, u := range f.Units {
			if !finished && i > 0 { // the others end in their middle
				w, err := s.Unit(t.Context(), u.Unit)
				must(t, "unit "+u.Unit.ID, err)
				if len(u.Items) > 0 {
					must(t, "open", w.Open(t.Context(), u.Items[0].Entry))
					for _, c := range u.Items[0].Chunks[:min(1, len(u.Items[0].Chunks))] {
						must(t, "write", w.Write(t.Context(), c))
					}
				}
				for range 2 {
					must(t, "giving up unit "+u.Unit.ID, w.Abort(t.Context()))
				}
				continue
			}
			must(t, "writing unit "+u.Unit.ID, writeUnit(t.Context(), s, u, false))
		}
		if finished {
			f.finish(t, s)
		}
		for range 2 {
			must(t, "abort", s.Abort(t.Context()))
		}
		closeSink(t, s)
		again := target.Open()
		_, _, err := again.Check(t.Context(), f.Plan)
		if f.Resumes {
			must(t, "check after an aborted run", err)
		} else if failure.Of(err) != failure.Refused {
			t.Errorf("a target whose run was aborted must be refused, with a reason: %v", err)
		}
		closeSink(t, again)
	})
}

func (f *SinkFixture) cancelled(t *testing.T) {
	target := f.Place(t)
	leakless(t, func() {
		s := target.Open()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := promptly(t, "a check that was cancelled", func() error { _, _, err := s.Check(ctx, f.Plan); return err })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a check that was cancelled: %v", err)
		}
		closeSink(t, s)
	})
	target = f.Place(t)
	leakless(t, func() {
		s := f.begun(t, target)
		ctx, cancel := context.WithCancel(t.Context())
		for _, u := range f.Units {
			if len(u.Items) == 0 {
				continue
			}
			w, err := s.Unit(ctx, u.Unit)
			must(t, "unit", err)
			must(t, "writing unit "+u.Unit.ID, put(ctx, w, u.Items, false))
			cancel()
			err = promptly(t, "a commit that was cancelled", func() error { return w.Commit(ctx) })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("a commit that was cancelled: %v", err)
			}
			must(t, "abort", w.Abort(t.Context()))
			break
		}
		cancel()
		must(t, "abort", s.Abort(t.Context()))
		closeSink(t, s)
	})
}
