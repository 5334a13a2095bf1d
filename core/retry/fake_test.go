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

var (
	errBusy   = errors.New("too many requests")
	errDenied = errors.New("access denied")
)

// shelf is a storage in memory that injects faults, as decided by fault before each call.
type shelf struct {
	mu      sync.Mutex
	objects map[string][]byte
	calls   []string
	times   []time.Time
	// fault returns the error of the nth call, counted from 1. If done is true the call
	// takes effect anyway, so that only its reply is lost.
	fault func(n int) (err error, done bool)
}

func newShelf(fault func(n int) (error, bool)) *shelf {
	return &shelf{objects: map[string][]byte{}, fault: fault}
}

// first fails the first n calls, or all if n is negative.
func first(n int, err error) func(int) (error, bool) {
	return func(i int) (error, bool) {
		if n < 0 || i <= n {
			return err, false
		}
		return nil, true
	}
}

func (s *shelf) call(ctx context.Context, what string, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls, s.times = append(s.calls, what), append(s.times, time.Now())
	err, done := s.fault(len(s.calls))
	if done {
		err = errors.Join(err, do())
	}
	return err
}

func (s *shelf) Put(ctx context.Context, name string, data []byte) error {
	return s.call(ctx, "put", func() error { s.objects[name] = bytes.Clone(data); return nil })
}

func (s *shelf) Create(ctx context.Context, name string, data []byte) error {
	return s.call(ctx, "create", func() error {
		if _, there := s.objects[name]; there {
			return fmt.Errorf("%s %w", name, stage.ErrExist)
		}
		s.objects[name] = bytes.Clone(data)
		return nil
	})
}

func (s *shelf) Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error) {
	err := s.call(ctx, "get", func() error {
		data, ok := s.objects[name]
		switch {
		case !ok:
			return fmt.Errorf("%s %w", name, stage.ErrNotExist)
		case length < 0:
			length = int64(len(data)) - offset
		case offset+length > int64(len(data)):
			return stage.ErrCorrupt
		}
		dst = append(dst, data[offset:offset+length]...)
		return nil
	})
	if err != nil {
		return append(dst, "rubbish"...), err
	}
	return dst, nil
}

// List lists half of the objects before it fails.
func (s *shelf) List(ctx context.Context, _ string, fn func(stage.Object) error) error {
	var names []string
	err := s.call(ctx, "list", func() error { return nil })
	s.mu.Lock()
	for i := range len(s.objects) {
		names = append(names, fmt.Sprint(i))
	}
	s.mu.Unlock()
	if err != nil {
		names = names[:len(names)/2]
	}
	for _, name := range names {
		if bad := fn(stage.Object{Name: name, Size: 1}); bad != nil {
			return bad
		}
	}
	return err
}

func (s *shelf) Delete(ctx context.Context, name string) error {
	return s.call(ctx, "delete", func() error { delete(s.objects, name); return nil })
}

func (s *shelf) Stat(ctx context.Context, name string) (o stage.Object, err error) {
	err = s.call(ctx, "stat", func() error {
		data, ok := s.objects[name]
		if !ok {
			return fmt.Errorf("%s %w", name, stage.ErrNotExist)
		}
		o = stage.Object{Name: name, Size: int64(len(data))}
		return nil
	})
	return o, err
}

func (s *shelf) Free(ctx context.Context) (int64, error) {
	return 7, s.call(ctx, "free", func() error { return nil })
}

func (s *shelf) Limits() stage.Limits        { return stage.Limits{Connections: 3} }
func (s *shelf) Close(context.Context) error { return nil }
