package sdk

import (
	"context"
	"sync"

	"github.com/lmsvault/vault/core/stage"
)

// receipts are those of the units that a sink has committed. The host may not have
// got one, because the call was given up on the way: it then begins the unit again,
// which the sink has done with. Safe for concurrent use.
type receipts struct {
	mu    sync.Mutex
	units map[string]*committing
}

// committing is a unit that was begun at least once.
type committing struct {
	busy    chan struct{} // holds one while a call writes the unit
	receipt *stage.Receipt
}

// take makes the caller the one that writes a unit, and returns the receipt that
// there is; leave lets the next one do it. A call that was given up may still be
// committing when the next one comes.
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

// ignore takes the events of a unit that the sink has.
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
