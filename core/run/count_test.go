package run

import (
	"errors"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
)

// Rows that a server withholds are detected: the source counts each table besides
// reading it, and the run fails with the table and both numbers.
func TestWithheldRowsAreDetected(t *testing.T) {
	run := func(t *testing.T, c *counting) ([]string, error) {
		s := &target{}
		j := job(t, c.memory, s)
		j.Origins[0].Source = c
		j.Budget = map[stage.LossKind]int64{stage.LossRow: 1}
		_, err := j.Run(t.Context())
		return s.calls, err
	}
	t.Run("all rows", func(t *testing.T) {
		if _, err := run(t, &counting{memory: site()}); err != nil {
			t.Error(err)
		}
	})
	t.Run("truncated table", func(t *testing.T) {
		calls, err := run(t, &counting{memory: site(), withheld: map[string]int64{"user": 7, "empty": 1}})
		want := "not all rows were read, or some twice:\ntable empty: the source counts 1 rows, but 0 were read\ntable user: the source counts 10 rows, but 3 were read"
		if failure.Of(err) != failure.Unproven || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if last := calls[len(calls)-1]; last != "abort" {
			t.Errorf("the calls were %v: the target is not marked", calls)
		}
	})
	t.Run("row read and lost", func(t *testing.T) {
		m := site()
		m.misfit = map[string]int64{"db/user#1": 1}
		if _, err := run(t, &counting{memory: m, withheld: map[string]int64{"user": 1}}); err != nil {
			t.Error(err)
		}
	})
	t.Run("table that cannot be counted", func(t *testing.T) {
		if _, err := run(t, &counting{memory: site(), withheld: map[string]int64{"user": -1}}); err != nil {
			t.Error(err)
		}
	})
	t.Run("count fails", func(t *testing.T) {
		gone := errors.New("the server has gone away")
		if _, err := run(t, &counting{memory: site(), failed: gone}); !errors.Is(err, gone) || !strings.Contains(err.Error(), "memory: counting the rows of table ") {
			t.Error(err)
		}
	})
	t.Run("snapshot needs no count", func(t *testing.T) {
		m := site()
		m.proofs = map[string]rows.Sum{"empty": {}}
		if _, err := run(t, &counting{memory: m, withheld: map[string]int64{"empty": 5}}); err != nil {
			t.Error(err)
		}
	})
}
