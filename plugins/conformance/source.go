package conformance

import (
	"context"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// SourceFixture is a small site and a function that opens a source on it.
type SourceFixture struct {
	// Open opens a source on the same site each time. The site should have a few tables or
	// files, including empty ones and one of several chunks. It must not change while the
	// suite runs. The suite closes the source and holds everything it reads in memory.
	Open func(t testing.TB) stage.Source
	// Parts are the parts that the source reads.
	Parts []string
	// Losses is the number of losses by kind that planning and reading report.
	Losses map[stage.LossKind]int64
	// Fingerprints says that the source gives files a fingerprint, possibly only later if a
	// file has just changed.
	Fingerprints bool
	// AnySite says that the site is unknown: Losses and Fingerprints are not set, and any
	// value is accepted.
	AnySite bool
	// Process enables the checks that kill the process. It may be nil.
	Process Process

	effort effort
}

// Source tests a source.
func Source(t *testing.T, f SourceFixture) { runAll(t, SourceChecks(f)) }

// SourceChecks returns the checks of a source.
func SourceChecks(f SourceFixture) []Check {
	check := func(id, why string, test func(t testing.TB)) Check {
		return Check{ID: id, Why: why, Run: func(t testing.TB) { leakless(t, f.effort.leakTimeout(), func() { test(t) }) }}
	}
	checks := []Check{
		check("source/plan", "A plan lists every table with its units, each unit once, and a second plan has the same units. Otherwise rows are read twice or not at all, and no run can be resumed.", f.plan),
		check("source/read", "Every entry is opened and closed once, with a clean path, rows that fit their table, correct counts, correct chunk boundaries and the digest of its content. All guarantees of a backup depend on this.", f.read),
		check("source/concurrent", "Units read concurrently have the same content as when read alone. Every worker reads its own unit.", f.concurrent),
		check("source/again", "A unit can be read again, after a partial and after a complete read, with the same content. The run repeats a unit after a temporary failure of its target.", f.again),
		check("source/join", "A source that joins another's snapshot returns the same content, and refuses an invalid session. All workers must see the same point in time.", f.join),
		check("source/count", "A source that counts rows reports for each table the number of rows read, even during a read, and again when it is asked again. Otherwise every backup fails, or missing rows go unnoticed.", f.count),
		check("source/selection", "A source reads exactly what is selected, reports what it leaves out, and counts the rest; it refuses a selection it can't apply. A backup must not contain what is excluded, nor lack anything else.", f.selection),
		check("source/cancelled-count", "A Count whose context has ended returns the context's error. A cancelled run must stop.", f.cancelledCount),
		check("source/writer-error", "An error of the writer ends the read at once, and the read returns it. A full disk at the target must stop the run and be reported.", f.writerError),
		check("source/cancelled-plan", "A Plan whose context has ended returns the context's error. A cancelled run must stop.", f.cancelledPlan),
		check("source/cancelled-read", "A read that is cancelled while running returns the context's error promptly. A cancelled run must stop.", f.cancelledRead),
		check("source/abandoned", "A source can be closed after an abandoned read, leaves nothing behind, and the next source reads everything. A run may fail at any time.", f.abandoned),
		check("source/close", "A source can be closed without a Plan. Another stage may have failed first.", func(t testing.TB) { f.close(t, f.Open(t)) }),
		check("source/nothing-known", "An empty fingerprint matches nothing. Otherwise a changed file would be missing from the backup.", f.nothingKnown),
	}
	if f.Fingerprints || f.AnySite {
		checks = append(checks, check("source/known", "A file whose fingerprint is known is reported by Same, and every other file is read. A changed file must never be taken for its earlier version.", f.known))
	}
	if f.Process != nil {
		checks = append(checks, check("crash/read", "If the process is killed during a read, the read returns an error or all of the unit, and the source can be opened again. Part of a table must not be taken for all of it.", f.crash))
	}
	return checks
}

func (f *SourceFixture) close(t testing.TB, s stage.Source) {
	t.Helper()
	if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("close: %v", err)
	}
}

// planned opens a source and calls Plan.
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

// readUnit reads a unit to its end and checks it.
func (f *SourceFixture) readUnit(t testing.TB, s stage.Source, inv *stage.Inventory, u stage.Unit, known stage.Baseline) *recorder {
	r := f.recorder(t, inv, u)
	if err := r.read(t.Context(), s, known); err != nil {
		t.Errorf("reading unit %s: %v", u.ID, err)
	}
	if r.open {
		r.errorf("%s is never closed", r.last().Entry.Path)
	}
	return r
}

// all reads every unit of a new source, with several readers.
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
