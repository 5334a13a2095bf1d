package conformance

import (
	"context"
	"testing"

	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// ReadAll plans, reads every unit and closes the source, for tests that inspect what a
// source returns. Items are keyed by path; the chunks of a table's units are joined.
func ReadAll(t testing.TB, s stage.Source) (items map[string]Item, losses []stage.Loss) {
	t.Helper()
	return ReadSelected(t, s, selection.Selection{})
}

// ReadSelected is like ReadAll with a selection.
func ReadSelected(t testing.TB, s stage.Source, selected selection.Selection) (items map[string]Item, losses []stage.Loss) {
	t.Helper()
	inv, err := s.Plan(t.Context(), stage.PlanRequest{Pipeline: "conformance", Selection: selected})
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	return ReadUnits(t, s, inv)
}

// ReadUnits is like ReadAll after the plan.
func ReadUnits(t testing.TB, s stage.Source, inv *stage.Inventory) (items map[string]Item, losses []stage.Loss) {
	t.Helper()
	f := &SourceFixture{}
	defer f.close(t, s)
	items = map[string]Item{}
	losses = append(losses, inv.Losses...)
	for _, u := range inv.Units {
		r := f.readUnit(t, s, inv, u, nil)
		losses = append(losses, r.losses...)
		for _, item := range r.items {
			before := items[item.Entry.Path]
			item.Chunks = append(before.Chunks, item.Chunks...)
			items[item.Entry.Path] = item
		}
	}
	return items, losses
}

// WriteAll writes units to a sink, for tests that inspect the target. After the first error
// it calls Abort and returns the error. It closes the sink.
func WriteAll(ctx context.Context, s stage.Sink, p *stage.Plan, units []UnitItems) (err error) {
	defer func() {
		clean := context.WithoutCancel(ctx)
		if err != nil {
			if abort := s.Abort(clean); abort != nil {
				err = abort
			}
		}
		if closing := s.Close(clean); err == nil {
			err = closing
		}
	}()
	if _, err := s.Check(ctx, p); err != nil {
		return err
	}
	if err := s.Begin(ctx, p); err != nil {
		return err
	}
	for _, u := range units {
		if err := writeUnit(ctx, s, u, false); err != nil {
			return err
		}
	}
	if err := s.Finish(ctx, &stage.Outcome{}); err != nil {
		return err
	}
	if _, err = s.Prove(ctx); err != nil {
		return err
	}
	return s.Publish(ctx)
}
