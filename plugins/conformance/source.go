package conformance

import (
	"context"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// SourceFixture is a small site and how to open a source on it.
type SourceFixture struct {
	// Open makes a source on the same site every time. It should hold a few
	// tables or files, also empty ones, and one of several chunks. Nothing in it
	// may change while the suite runs. The suite closes the source, and holds all
	// that it reads in memory.
	Open func(t testing.TB) stage.Source
	// Parts are those that the source gives.
	Parts []string
	// Losses is how many losses planning and reading it report, by kind.
	Losses map[stage.LossKind]int64
	// Fingerprints tells that the source gives files a fingerprint, sooner or
	// later: one that changed just now may have none yet.
	Fingerprints bool
	// AnySite tells that nothing is known of the site: Losses and Fingerprints
	// are not set, and both are taken as they come.
	AnySite bool
	// Process adds the checks that kill. It may be nil.
	Process Process

	effort effort
}

// Source tests a source.
func Source(t *testing.T, f SourceFixture) { runAll(t, SourceChecks(f)) }

// SourceChecks lists the checks of a source.
func SourceChecks(f SourceFixture) []Check {
	check := func(id, why string, test func(t testing.TB)) Check {
		return Check{ID: id, Why: why, Run: func(t testing.TB) { leakless(t, f.effort.leakTimeout(), func() { test(t) }) }}
	}
	checks := []Check{
		check("source/plan", "A plan names every table with its units, each unit once, and the same units the next time: else rows are read twice or not at all, and no run can go on where it stopped.", f.plan),
		check("source/read", "Every entry is opened and closed once, with a clean path, rows that fit their table, right counts, chunks that end where they must, and the digest of its content: all that a backup promises begins here.", f.read),
		check("source/concurrent", "Units read at the same time give what they give alone: every worker reads a unit of its own.", f.concurrent),
		check("source/again", "A unit can be read again, after it was read in part and after it was read whole, and gives the same: the run carries a unit again when its target failed for a moment.", f.again),
		check("source/join", "A source that lets another process join its snapshot gives there what it gives itself, and refuses a session that is none: several workers must see one moment.", f.join),
		check("source/count", "A source that counts rows gives for each table the number that is read, also while it is read: else every backup would fail, or rows that are missing would not be found.", f.count),
		check("source/selection", "A source gives exactly what is selected, says what it leaves out, and counts what is left; what it can't select it refuses: a backup must not hold what was to stay out, nor lack anything else.", f.selection),
		check("source/cancelled-count", "A count whose context has ended returns the context's error: a run that was stopped must stop.", f.cancelledCount),
		check("source/writer-error", "An error of the writer ends Read at once and is found in what Read returns: a full disk at the target must stop the run and be named.", f.writerError),
		check("source/cancelled-plan", "A plan whose context has ended returns the context's error: a run that was stopped must stop.", f.cancelledPlan),
		check("source/cancelled-read", "A Read that is cancelled under way returns the context's error promptly: a run that was stopped must stop.", f.cancelledRead),
		check("source/abandoned", "A source can be closed when one Read was given up and no other began, leaves nothing behind, and the next one reads it all: a run may fail at any moment.", f.abandoned),
		check("source/close", "A source can be closed that never planned: another stage may have failed first.", func(t testing.TB) { f.close(t, f.Open(t)) }),
		check("source/nothing-known", "An empty fingerprint matches nothing: else a file would be taken for unchanged and left out of the backup.", f.nothingKnown),
	}
	if f.Fingerprints || f.AnySite {
		checks = append(checks, check("source/known", "A file whose fingerprint is known is told by Same, every other is read: one that changed must never be taken for the one of the last backup.", f.known))
	}
	if f.Process != nil {
		checks = append(checks, check("crash/read", "When the process is killed in the middle of a Read, Read ends with an error, or with all of the unit, and the source can be opened again: a part of a table must not pass for all of it.", f.crash))
	}
	return checks
}

func (f *SourceFixture) close(t testing.TB, s stage.Source) {
	t.Helper()
	if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("close: %v", err)
	}
}

// planned opens a source and plans.
func (f *SourceFixture) planned(t testing.TB) (stage.Source, *stage.Inventory) {
	t.Helper()
	s := f.Open(t)
	inv, err := s.Plan(t.Context(), stage.PlanRequest{Pipeline: "conformance"})
	if err != nil {
		f.close(t, s)
		t.Fatalf("plan: %v", err)
	}
	return s, inv
}

func (f *SourceFixture) recorder(t testing.TB, inv *stage.Inventory, u stage.Unit) *recorder {
	r := &recorder{t: t, unit: u}
	for i := range inv.Tables {
		if u.Part == stage.DB && inv.Tables[i].Schema.Name == u.Table {
			r.table = &inv.Tables[i].Schema
		}
	}
	if u.Part == stage.DB && r.table == nil {
		r.table = &schema.Table{}
	}
	return r
}

// readUnit reads a unit whole and checks it by itself.
func (f *SourceFixture) readUnit(t testing.TB, s stage.Source, inv *stage.Inventory, u stage.Unit, known stage.Baseline) *recorder {
	r := f.recorder(t, inv, u)
	if err := r.read(t.Context(), s, known); err != nil {
		t.Errorf("reading unit %s: %v", u.ID, err)
	}
	if r.open {
		r.errorf("%s is left open", r.last().Entry.Path)
	}
	return r
}

// all reads every unit of a fresh source, several at once.
func (f *SourceFixture) all(t testing.TB, readers int, known stage.Baseline) (*stage.Inventory, map[string]*recorder) {
	t.Helper()
	s, inv := f.planned(t)
	defer f.close(t, s)
	var mu sync.Mutex
	got := map[string]*recorder{}
	work := make(chan stage.Unit)
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for u := range work {
				r := f.readUnit(t, s, inv, u, known)
				mu.Lock()
				got[u.ID] = r
				mu.Unlock()
			}
		})
	}
	for _, u := range inv.Units {
		work <- u
	}
	close(work)
	wg.Wait()
	return inv, got
}
