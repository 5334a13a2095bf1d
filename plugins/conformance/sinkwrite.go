package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// openedUnit is an open unit of a sink, with rows or files.
type openedUnit struct {
	stage.Ending
	rows  stage.RowUnit  // nil for files
	files stage.FileUnit // nil for rows
}

func openUnit(ctx context.Context, s stage.Sink, u stage.Unit) (openedUnit, error) {
	if u.Part == stage.DB {
		sink, ok := s.(stage.RowSink)
		if !ok {
			return openedUnit{}, fmt.Errorf("unit %s has rows, but the sink is not a stage.RowSink", u.ID)
		}
		w, err := sink.WriteRows(ctx, u)
		return openedUnit{Ending: w, rows: w}, err
	}
	sink, ok := s.(stage.FileSink)
	if !ok {
		return openedUnit{}, fmt.Errorf("unit %s has files, but the sink is not a stage.FileSink", u.ID)
	}
	w, err := sink.WriteFiles(ctx, u)
	return openedUnit{Ending: w, files: w}, err
}

// put writes items. If drop is set, each file is first written and dropped. The bytes of
// each chunk are overwritten as soon as Write returns.
func (u openedUnit) put(ctx context.Context, items []Item, drop bool) error {
	for _, item := range items {
		if u.rows != nil {
			if err := u.content(ctx, item.Chunks); err != nil {
				return err
			}
			continue
		}
		if drop && item.Entry.Kind == stage.File {
			if err := errors.Join(u.open(ctx, item), u.files.Drop(ctx)); err != nil {
				return err
			}
		}
		if err := u.open(ctx, item); err != nil {
			return err
		}
		if err := u.files.Close(ctx, item.Digest); err != nil {
			return err
		}
	}
	return nil
}

// open opens an entry and writes its content.
func (u openedUnit) open(ctx context.Context, item Item) error {
	if err := u.files.Open(ctx, item.Entry); err != nil {
		return err
	}
	return u.content(ctx, item.Chunks)
}

func (u openedUnit) content(ctx context.Context, chunks []stage.Chunk) error {
	var buf []byte
	for _, c := range chunks {
		buf = append(buf[:0], c.Data...)
		var err error
		if u.rows != nil {
			err = u.rows.Write(ctx, stage.Chunk{Data: buf, Rows: c.Rows})
		} else {
			err = u.files.Write(ctx, buf)
		}
		if err != nil {
			return err
		}
		copy(buf, bytes.Repeat([]byte{0xdb}, len(buf)))
	}
	return nil
}

// begin writes the beginning of the first item.
func (u openedUnit) begin(ctx context.Context, items []Item) error {
	if len(items) == 0 {
		return nil
	}
	first := items[0]
	first.Chunks = first.Chunks[:min(1, len(first.Chunks))]
	if u.rows != nil {
		return u.content(ctx, first.Chunks)
	}
	return u.open(ctx, first)
}

// writeUnit writes and commits a unit.
func writeUnit(ctx context.Context, s stage.Sink, u UnitItems, drop bool) error {
	w, err := openUnit(ctx, s, u.Unit)
	if err != nil {
		return err
	}
	if err := w.put(ctx, u.Items, drop); err != nil {
		return errors.Join(err, w.Abort(ctx))
	}
	r, err := w.Commit(ctx)
	if err != nil {
		return errors.Join(err, w.Abort(ctx))
	}
	if err := u.checkReceipt(r); err != nil {
		return err
	}
	return w.Abort(ctx) // does nothing after Commit
}

// checkReceipt compares a receipt with what was written.
func (u UnitItems) checkReceipt(r *stage.Receipt) error {
	if r == nil {
		return fmt.Errorf("unit %s: Commit returns neither a receipt nor an error", u.Unit.ID)
	}
	var written, files int64
	for _, item := range u.Items {
		for _, c := range item.Chunks {
			written += int64(c.Rows)
		}
		if item.Entry.Kind == stage.File {
			files++
		}
	}
	for _, l := range r.Losses {
		if l.Kind == stage.LossRow {
			written -= l.Count
		}
	}
	if r.Rows != written || r.Files > files {
		return fmt.Errorf("unit %s: the receipt says %d rows and %d files, written were %d rows and %d files", u.Unit.ID, r.Rows, r.Files, written, files)
	}
	return nil
}

// complete calls Finish and Prove and compares the proof with what was written. It returns
// the error of Finish or Prove.
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
			t.Errorf("the proof of table %s is %v, want %+v", p.Schema.Name, p.Sum, want)
		}
	}
	return nil
}

func (f *SinkFixture) finish(t testing.TB, s stage.Sink) {
	t.Helper()
	must(t, "completing a run", f.complete(t, s))
}

// whole writes all units concurrently.
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

// dropped writes and drops every file before writing it.
func (f *SinkFixture) dropped(t testing.TB, target Target) look {
	s := f.begun(t, target)
	for _, u := range f.Units {
		must(t, "writing unit "+u.Unit.ID, writeUnit(t.Context(), s, u, true))
	}
	f.publish(t, s)
	return f.holds
}

// givenUp aborts every unit after its last byte and starts it again.
func (f *SinkFixture) givenUp(t testing.TB, target Target) look {
	s := f.begun(t, target)
	for _, u := range f.Units {
		f.giveUp(t, s, u)
	}
	for _, u := range f.Units {
		must(t, "writing unit "+u.Unit.ID, writeUnit(t.Context(), s, u, false))
	}
	f.publish(t, s)
	return f.holds
}

// giveUp writes a unit and aborts it.
func (f *SinkFixture) giveUp(t testing.TB, s stage.Sink, u UnitItems) {
	t.Helper()
	w, err := openUnit(t.Context(), s, u.Unit)
	must(t, "unit "+u.Unit.ID, err)
	must(t, "writing unit "+u.Unit.ID, w.put(t.Context(), u.Items, false))
	for range 2 {
		must(t, "aborting unit "+u.Unit.ID, w.Abort(t.Context()))
	}
}

// repeated fails every unit in the middle and in its Commit, and then writes it.
func (f *SinkFixture) repeated(t testing.TB, target Target) look {
	s := f.begun(t, target)
	for _, u := range f.Units {
		w, err := openUnit(t.Context(), s, u.Unit)
		must(t, "unit "+u.Unit.ID, err)
		must(t, "writing unit "+u.Unit.ID, w.begin(t.Context(), u.Items))
		must(t, "aborting unit "+u.Unit.ID, w.Abort(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		w, err = openUnit(ctx, s, u.Unit)
		must(t, "unit "+u.Unit.ID, err)
		must(t, "writing unit "+u.Unit.ID, w.put(ctx, u.Items, false))
		cancel()
		if _, err := w.Commit(ctx); err == nil {
			continue // the unit was stored and is not started again
		}
		must(t, "aborting unit "+u.Unit.ID, w.Abort(t.Context()))
		must(t, "writing unit "+u.Unit.ID+" again", writeUnit(t.Context(), s, u, false))
	}
	f.publish(t, s)
	return f.holds
}

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
