package postgres_test

import (
	"context"
	"log/slog"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
	sink "github.com/lmsvault/vault/sinks/postgres"
	source "github.com/lmsvault/vault/sources/postgres"
)

const workers = 4

// carried holds the result of a transfer.
type carried struct {
	inventory *stage.Inventory
	sent      map[string]rows.Sum
	refused   []stage.Loss
	proofs    map[string]stage.TableProof
}

func newSource(t testing.TB, c source.Config) stage.RowSource {
	t.Helper()
	if err := config.Defaults(&c); err != nil {
		t.Fatal(err)
	}
	s, err := source.Stage().NewSource(t.Context(), &c, stage.Env{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("closing the source: %v", err)
		}
	})
	return s.(stage.RowSource)
}

func newSink(t testing.TB, c sink.Config) stage.RowSink {
	t.Helper()
	if err := config.Defaults(&c); err != nil {
		t.Fatal(err)
	}
	s, err := sink.Stage().NewSink(t.Context(), &c, stage.Env{Workers: workers, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("closing the sink: %v", err)
		}
	})
	return s.(stage.RowSink)
}

// planOf makes a plan from an inventory, as the engine does for a sink of the same
// dialect.
func planOf(inv *stage.Inventory) *stage.Plan {
	return &stage.Plan{Pipeline: "test", Tables: inv.Tables, Parts: []string{stage.DB}, Facts: inv.Facts, Workers: workers}
}

// counter sums up what is written to a unit of the sink.
type counter struct {
	stage.RowUnit
	sum     rows.Sum
	receipt *stage.Receipt
}

func (c *counter) Write(ctx context.Context, chunk stage.Chunk) error {
	before := c.sum.Rows
	if err := c.sum.AddChunk(chunk.Data); err != nil {
		return err
	}
	if got := c.sum.Rows - before; got != int64(chunk.Rows) {
		return &wrongCount{got, chunk.Rows}
	}
	return c.RowUnit.Write(ctx, chunk)
}

type wrongCount struct {
	got  int64
	told int
}

func (w *wrongCount) Error() string { return "a chunk's rows are not as many as it says" }

// carry runs one source and one sink as the engine does.
func carry(t testing.TB, from stage.RowSource, to stage.RowSink) carried {
	t.Helper()
	return carryOnto(t, stage.ReplaceNothing, from, to)
}

func carryOnto(t testing.TB, how stage.Replace, from stage.RowSource, to stage.RowSink) carried {
	t.Helper()
	ctx := t.Context()
	inv, err := from.Plan(ctx, stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	plan := planOf(inv)
	plan.Replace = how
	if _, err := to.Check(ctx, plan); err != nil {
		t.Fatal(err)
	}
	if err := to.Begin(ctx, plan); err != nil {
		t.Fatal(err)
	}
	out := carried{inventory: inv, sent: map[string]rows.Sum{}, proofs: map[string]stage.TableProof{}}
	units := make([]*counter, len(inv.Units))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for i, u := range inv.Units {
		g.Go(func() error {
			w, err := to.WriteRows(gctx, u)
			if err != nil {
				return err
			}
			units[i] = &counter{RowUnit: w}
			if err := from.ReadRows(gctx, stage.ReadRequest{Unit: u}, units[i]); err != nil {
				return err
			}
			units[i].receipt, err = units[i].Commit(gctx)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, u := range inv.Units {
		sum := out.sent[u.Table]
		sum.Merge(units[i].sum)
		for _, loss := range units[i].receipt.Losses {
			sum.Remove(loss.Row)
			out.refused = append(out.refused, loss)
		}
		out.sent[u.Table] = sum
	}
	if err := to.Finish(ctx, &stage.Outcome{}); err != nil {
		t.Fatal(err)
	}
	proofs, err := to.Prove(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := to.Publish(ctx); err != nil {
		t.Fatal(err)
	}
	for _, p := range proofs {
		out.proofs[p.Schema.Name] = p
	}
	for name, sum := range out.sent {
		if got := out.proofs[name].Sum; got != sum {
			t.Errorf("table %s: sent %s, read back %s", name, sum, got)
		}
	}
	return out
}
