package mysql

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lmsvault/vault/dialects/mysql"
)

const (
	lockWaitTimeout = 1205
	deadlock        = 1213
)

// How often a transaction is tried, and the longest of the pauses between, which
// begin with firstPause and double.
const (
	tries      = 8
	firstPause = 50 * time.Millisecond
	mostPause  = 2 * time.Second
)

// retry runs a transaction again that lost against another one, after a pause of
// random length: those that met at one moment don't meet again.
func retry(ctx context.Context, transaction func() error) error {
	for n, pause := 1, firstPause; ; n, pause = n+1, min(2*pause, mostPause) {
		err := transaction()
		if number := mysql.Number(err); number != deadlock && number != lockWaitTimeout {
			return err
		}
		if n == tries {
			return fmt.Errorf("the transaction lost against others %d times: %w", tries, err)
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
