package host_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// Counts, their errors and error classes cross the process boundary. A source that doesn't
// count is not a Counter.
func TestCountOverProcess(t *testing.T) {
	open := func(c *play) (int64, error) {
		st := played()[3]
		s, err := newHost(t).Isolate(st, self(t)).NewSource(t.Context(), c, stage.Env{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
		counter, ok := s.(stage.Counter)
		if !ok {
			t.Fatal("the source is not a Counter")
		}
		return counter.Count(t.Context(), "t")
	}
	for _, n := range []int{0, 1_000_000_007, -1} {
		if got, err := open(&play{Count: n}); err != nil || got != int64(n) {
			t.Errorf("%d (%v), want %d", got, err, n)
		}
	}
	if _, err := open(&play{Count: -2}); err == nil || !strings.Contains(err.Error(), "count of table t") {
		t.Errorf("-2 rows: %v", err)
	}
	if _, err := open(&play{Mode: "refused"}); failure.Of(err) != failure.Refused || !errors.Is(err, stage.ErrCorrupt) || !strings.Contains(err.Error(), "table t is locked") {
		t.Errorf("refused: %v", err)
	}
	if _, ok := playedSource(t, &play{}).(stage.Counter); ok {
		t.Error("a source that doesn't count is a Counter")
	}
}
