package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

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

// complete finishes, and compares the proof with what was written. The error is
// Finish's or Prove's.
func (f *SinkFixture) complete(t testing.TB, s stage.Sink) error {
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
	if err := s.Finish(t.Context(), o); err != nil {
		return fmt.Errorf("finish: %w", err)
	}
	proofs, err := s.Prove(t.Context())
	if err != nil {
		return fmt.Errorf("prove: %w", err)
	}
	for _, p := range proofs {
		if want := sums[stage.DB+"/"+p.Schema.Name]; want == nil || p.Sum != want.Sum {
			t.Errorf("the proof of table %s is %v, and %+v was written", p.Schema.Name, p.Sum, want)
		}
	}
	return nil
}

func (f *SinkFixture) finish(t testing.TB, s stage.Sink) {
	t.Helper()
	must(t, "completing a run", f.complete(t, s))
}

// whole writes all units at once.
func (f *SinkFixture) whole(t testing.TB, target Target) look {
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
	f.publish(t, s)
	return f.holds
}

// publish completes a run.
func (f *SinkFixture) publish(t testing.TB, s stage.Sink) {
	t.Helper()
	f.finish(t, s)
	must(t, "publish", s.Publish(t.Context()))
	closeSink(t, s)
}

// dropped writes every file in vain first.
func (f *SinkFixture) dropped(t testing.TB, target Target) look {
	s := f.begun(t, target)
	for _, u := range f.Units {
		must(t, "writing unit "+u.Unit.ID, writeUnit(t.Context(), s, u, true))
	}
	f.publish(t, s)
	return f.holds
}

// givenUp gives every unit up after its last byte and begins it anew. A sink may
// refuse to go on after that, by an error before Publish; one that goes on must
// have nothing twice.
func (f *SinkFixture) givenUp(t testing.TB, target Target) look {
	s := f.begun(t, target)
	for _, u := range f.Units {
		w, err := s.Unit(t.Context(), u.Unit)
		must(t, "unit "+u.Unit.ID, err)
		must(t, "writing unit "+u.Unit.ID, put(t.Context(), w, u.Items, false))
		for range 2 {
			must(t, "giving up unit "+u.Unit.ID, w.Abort(t.Context()))
		}
	}
	err := func() error {
		for _, u := range f.Units {
			if err := writeUnit(t.Context(), s, u, false); err != nil {
				return fmt.Errorf("unit %s: %w", u.Unit.ID, err)
			}
		}
		return f.complete(t, s)
	}()
	if err != nil {
		t.Logf("the sink does not go on after units were given up: %v", err)
		must(t, "abort", s.Abort(t.Context()))
		closeSink(t, s)
		return f.unseen
	}
	must(t, "publish", s.Publish(t.Context()))
	closeSink(t, s)
	return f.holds
}
