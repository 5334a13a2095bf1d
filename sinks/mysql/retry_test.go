package mysql

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/dialects/mysql"
)

// A transaction that loses against another one is tried again after pauses that
// grow, differ and end; a run that is stopped doesn't wait for them.
func TestDeadlocksAreRetriedWithPauses(t *testing.T) {
	lost := &driver.MySQLError{Number: deadlock, Message: "Deadlock found"}
	pauses := func(t *testing.T, fails int) (took []time.Duration, err error) {
		last := time.Time{}
		err = retry(t.Context(), func() error {
			if !last.IsZero() {
				took = append(took, time.Since(last))
			}
			last = time.Now()
			if len(took) < fails {
				return lost
			}
			return nil
		})
		return took, err
	}
	synctest.Test(t, func(t *testing.T) {
		took, err := pauses(t, 4)
		if err != nil || len(took) != 4 {
			t.Fatalf("%v after %v", err, took)
		}
		for n, want := 0, firstPause; n < len(took); n, want = n+1, 2*want {
			if took[n] < want/2 || took[n] > want*3/2 {
				t.Errorf("pause %d took %v, want about %v", n+1, took[n], want)
			}
		}
		same := true
		for range 5 {
			again, err := pauses(t, 4)
			if err != nil {
				t.Fatal(err)
			}
			same = same && again[0] == took[0]
		}
		if same {
			t.Errorf("every first pause is %v", took[0])
		}
	})
	synctest.Test(t, func(t *testing.T) {
		took, err := pauses(t, 1000)
		if mysql.Number(err) != deadlock || len(took) != tries-1 || took[tries-2] > mostPause*3/2 {
			t.Errorf("%v after %v", err, took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		begun := time.Now()
		if err := retry(ctx, func() error { return lost }); !errors.Is(err, context.Canceled) || time.Since(begun) != time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
	other := errors.New("no deadlock")
	calls := 0
	if err := retry(t.Context(), func() error { calls++; return other }); err != other || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}
