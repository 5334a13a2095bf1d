package retry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// Storage adds deadlines and retries to another stage.Storage. It has all optional
// interfaces; their methods report what the storage below does not support. It is safe for
// concurrent use.
type Storage struct {
	below       stage.Storage
	base, grace time.Duration

	mu   sync.Mutex
	hung error
}

// New returns a Storage over below, which it owns from then on.
func New(below stage.Storage) *Storage {
	return &Storage{below: below, base: slowBase, grace: grace}
}

// Put stores an object, and retries while the error is temporary.
func (s *Storage) Put(ctx context.Context, name string, data []byte) error {
	return s.call(ctx, "storing "+name, int64(len(data)), func(ctx context.Context, _ int, _ func()) error {
		return s.below.Put(ctx, name, data)
	})
}

// Create stores an object if none exists, see stage.Creator. If an attempt failed with a
// temporary error and the next finds an object with exactly these bytes, the first attempt
// stored it and Create succeeds. Bytes that another process might store as well are
// therefore no proof of ownership. If the storage below is no Creator, Create returns
// errors.ErrUnsupported.
func (s *Storage) Create(ctx context.Context, name string, data []byte) error {
	c, ok := s.below.(stage.Creator)
	if !ok {
		return fmt.Errorf("creating %s: %w by this storage", name, errors.ErrUnsupported)
	}
	return s.call(ctx, "creating "+name, int64(len(data)), func(ctx context.Context, again int, _ func()) error {
		err := c.Create(ctx, name, data)
		if again == 0 || !errors.Is(err, stage.ErrExist) {
			return err
		}
		there, bad := s.below.Get(ctx, nil, name, 0, int64(len(data)))
		if _, again := stage.IsTemporary(bad); again {
			return bad
		}
		o, _ := s.below.Stat(ctx, name)
		if bad == nil && o.Size == int64(len(data)) && bytes.Equal(there, data) {
			return nil
		}
		return err
	})
}

// Get reads part of an object. Data read by a failed attempt is discarded.
func (s *Storage) Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error) {
	out := dst
	err := s.call(ctx, "reading "+name, max(0, length), func(ctx context.Context, _ int, _ func()) error {
		read, err := s.below.Get(ctx, dst, name, offset, length)
		if err == nil {
			out = read
		}
		return err
	})
	if err != nil {
		return dst, err
	}
	return out, nil
}

// List may take any time in total, but not long for a single object. fn is called once for
// each object, however often the list is repeated.
func (s *Storage) List(ctx context.Context, prefix string, fn func(stage.Object) error) error {
	var mu sync.Mutex
	over := false // fn must not be called any more
	listed := map[string]bool{}
	var failed error
	defer func() {
		mu.Lock()
		over = true
		mu.Unlock()
	}()
	err := s.call(ctx, "listing "+prefix, 0, func(ctx context.Context, again int, alive func()) error {
		err := s.below.List(ctx, prefix, func(o stage.Object) error {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case over:
				return ErrSlow
			case failed != nil:
				return failed
			}
			alive()
			if again > 0 && listed[o.Name] {
				return nil
			}
			listed[o.Name] = true
			failed = fn(o)
			return failed
		})
		mu.Lock()
		defer mu.Unlock()
		if failed != nil {
			return nil // the caller's own error, not the storage's
		}
		return err
	})
	mu.Lock()
	defer mu.Unlock()
	if failed != nil {
		return failed
	}
	return err
}

// Delete removes an object.
func (s *Storage) Delete(ctx context.Context, name string) error {
	return s.call(ctx, "deleting "+name, 0, func(ctx context.Context, _ int, _ func()) error { return s.below.Delete(ctx, name) })
}

// Stat describes an object.
func (s *Storage) Stat(ctx context.Context, name string) (stage.Object, error) {
	var o stage.Object
	err := s.call(ctx, "looking for "+name, 0, func(ctx context.Context, _ int, _ func()) error {
		found, err := s.below.Stat(ctx, name)
		if err == nil {
			o = found
		}
		return err
	})
	if err != nil {
		return stage.Object{}, err
	}
	return o, nil
}

// Free returns how many more bytes can be stored, or -1 if the storage below does not know.
func (s *Storage) Free(ctx context.Context) (int64, error) {
	c, ok := s.below.(stage.Capacity)
	if !ok {
		return -1, nil
	}
	free := int64(-1)
	err := s.call(ctx, "asking for free space", 0, func(ctx context.Context, _ int, _ func()) error {
		n, err := c.Free(ctx)
		if err == nil {
			free = n
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return free, nil
}

// Limits returns the limits of the storage below, or the zero value.
func (s *Storage) Limits() stage.Limits {
	if l, ok := s.below.(stage.Limiter); ok {
		return l.Limits()
	}
	return stage.Limits{}
}

// Close closes the storage below once, unless it hangs.
func (s *Storage) Close(ctx context.Context) error {
	if s.hangs() != nil {
		return nil // which was reported before
	}
	return s.attempt(ctx, "closing the storage", 0, func(ctx context.Context, _ func()) error { return s.below.Close(ctx) })
}

var (
	_ stage.Creator  = (*Storage)(nil)
	_ stage.Limiter  = (*Storage)(nil)
	_ stage.Capacity = (*Storage)(nil)
)
