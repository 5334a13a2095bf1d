package conformance

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// count compares the counts of a stage.Counter with what is read beside them.
func (f *SourceFixture) count(t testing.TB) {
	s, inv := f.planned(t)
	defer f.close(t, s)
	counter, ok := s.(stage.Counter)
	if !ok {
		return
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	read, counted := map[string]int64{}, map[string]int64{}
	for _, u := range inv.Units {
		if u.Part != stage.DB {
			continue
		}
		wg.Go(func() {
			n := f.readUnit(t, s, inv, u, nil).rows()
			mu.Lock()
			defer mu.Unlock()
			read[u.Table] += n
		})
	}
	for _, info := range inv.Tables {
		wg.Go(func() {
			n, err := counter.Count(t.Context(), info.Schema.Name)
			if err != nil {
				t.Errorf("counting table %s: %v", info.Schema.Name, err)
				n = -1
			}
			mu.Lock()
			defer mu.Unlock()
			counted[info.Schema.Name] = n
		})
	}
	wg.Wait()
	for name, n := range counted {
		if n != -1 && n != read[name] {
			t.Errorf("table %s: %d rows are counted and %d are read", name, n, read[name])
		}
	}
	if n, err := counter.Count(t.Context(), "a table that is not planned"); err == nil {
		t.Errorf("a table that is not in the plan has %d rows and no error", n)
	}
}

// rows is how many rows the unit has, those that could not be given too.
func (r *recorder) rows() (n int64) {
	for _, item := range r.items {
		for _, c := range item.Chunks {
			n += int64(c.Rows)
		}
	}
	for _, l := range r.losses {
		if l.Kind == stage.LossRow {
			n += max(l.Count, 1)
		}
	}
	return n
}

// cancelledCount is of a count that was cancelled before it began.
func (f *SourceFixture) cancelledCount(t testing.TB) {
	s, inv := f.planned(t)
	defer f.close(t, s)
	counter, ok := s.(stage.Counter)
	if !ok || len(inv.Tables) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := counter.Count(ctx, inv.Tables[0].Schema.Name); !errors.Is(err, context.Canceled) {
		t.Errorf("a count that was cancelled before: %d rows, %v", n, err)
	}
}
