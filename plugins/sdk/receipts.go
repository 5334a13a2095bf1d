package sdk

import (
	"context"
	"sync"

	"github.com/lmsvault/vault/core/stage"
)

// receipts has the receipts of the units that a sink has committed. If the host did not get
// one because the call was cut off, it starts the unit again although the sink has
// completed it. It is safe for concurrent use.
type receipts struct {
	mu    sync.Mutex
	units map[string]*committing
}

// committing is a unit that was started at least once.
type committing struct {
	busy    chan struct{} // semaphore for writing the unit
	receipt *stage.Receipt
}

// take waits for the right to write a unit and returns its receipt, if there is one; leave
// releases the right. An abandoned call may still be committing when the next one arrives.
func (r *receipts) take(ctx context.Context, id string) (u *committing, leave func(), err error) {
	r.mu.Lock()
	if r.units == nil {
		r.units = map[string]*committing{}
	}
	if u = r.units[id]; u == nil {
		u = &committing{busy: make(chan struct{}, 1)}
		r.units[id] = u
	}
	r.mu.Unlock()
	select {
	case u.busy <- struct{}{}:
		return u, func() { <-u.busy }, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// ignore discards the events of a unit that the sink already has.
type ignore struct{}

func (ignore) Open(context.Context, stage.Entry) error   { return nil }
func (ignore) Write(context.Context, []byte) error       { return nil }
func (ignore) Close(context.Context, stage.Digest) error { return nil }
func (ignore) Same(context.Context, stage.Entry) error   { return nil }
func (ignore) Drop(context.Context) error                { return nil }
func (ignore) Loss(context.Context, stage.Loss) error    { return nil }

// ignoreRows is ignore for a unit of rows.
type ignoreRows struct{ ignore }

func (ignoreRows) Write(context.Context, stage.Chunk) error { return nil }
