package retry

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// hanging is a storage whose calls do not return before free is closed. If it is polite,
// they also return when cancelled.
type hanging struct {
	*shelf
	polite bool
	free   chan struct{}
}

func (h hanging) hang(ctx context.Context) error {
	if h.polite {
		<-ctx.Done()
		return stage.Temporary(ctx.Err(), 0) // a storage may report its own timeout this way
	}
	<-h.free
	return nil
}

func (h hanging) Put(ctx context.Context, _ string, _ []byte) error    { return h.hang(ctx) }
func (h hanging) Create(ctx context.Context, _ string, _ []byte) error { return h.hang(ctx) }
func (h hanging) Delete(ctx context.Context, _ string) error           { return h.hang(ctx) }
func (h hanging) Close(ctx context.Context) error                      { return h.hang(ctx) }
func (h hanging) Free(ctx context.Context) (int64, error)              { return 0, h.hang(ctx) }
func (h hanging) Stat(ctx context.Context, _ string) (stage.Object, error) {
	return stage.Object{}, h.hang(ctx)
}
func (h hanging) Get(ctx context.Context, dst []byte, _ string, _, _ int64) ([]byte, error) {
	return dst, h.hang(ctx)
}
func (h hanging) List(ctx context.Context, _ string, _ func(stage.Object) error) error {
	return h.hang(ctx)
}

// eachHanging tests every call of a storage that hangs.
func eachHanging(t *testing.T, polite bool, test func(t *testing.T, s *Storage, call func(context.Context) error)) {
	for what := range calls(nil) {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hanging{newShelf(first(0, nil)), polite, make(chan struct{})}
				defer close(h.free)
				s := New(h)
				test(t, s, calls(s)[what])
			})
		})
	}
}

// If the storage does not respond, each call ends, whether or not it can be cancelled.
func TestHangingStorageEndsCalls(t *testing.T) {
	for _, polite := range []bool{true, false} {
		eachHanging(t, polite, func(t *testing.T, s *Storage, call func(context.Context) error) {
			began := time.Now()
			if err := call(t.Context()); !errors.Is(err, ErrSlow) {
				t.Errorf("polite %v: %v", polite, err)
			}
			if took := time.Since(began); took < slowBase || took > slowBase+grace {
				t.Errorf("ended after %v", took)
			}
			if polite {
				return
			}
			began = time.Now()
			if err := errors.Join(s.Put(t.Context(), "y", nil), s.Close(t.Context())); !errors.Is(err, ErrSlow) || time.Since(began) > 0 {
				t.Errorf("the next call, after %v: %v", time.Since(began), err)
			}
		})
	}
}

// An interrupt does not wait for a storage that hangs.
func TestHangingStorageCanBeInterrupted(t *testing.T) {
	for _, polite := range []bool{true, false} {
		eachHanging(t, polite, func(t *testing.T, s *Storage, call func(context.Context) error) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			began := time.Now()
			if err := call(ctx); !errors.Is(err, context.Canceled) || time.Since(began) > grace {
				t.Errorf("polite %v, after %v: %v", polite, time.Since(began), err)
			}
		})
	}
}

// Large objects get the time they need on a slow line.
func TestDeadlinesGrowWithSize(t *testing.T) {
	s := New(newShelf(first(0, nil)))
	for _, c := range []struct {
		size int64
		want time.Duration
	}{{0, 5 * time.Minute}, {16 << 20, 5*time.Minute + 1024*time.Second}} {
		if got := s.timeout(c.size); got != c.want {
			t.Errorf("timeout for %d bytes is %v, want %v", c.size, got, c.want)
		}
	}
}
