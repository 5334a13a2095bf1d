package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// storageDisturbed puts objects, disturbing each Put at a different time, and inspects the
// storage after each. prepare returns the context of a Put and the function that disturbs
// it, next returns the storage to continue with, accept checks the error of a Put. Each Put
// has its own name and all have the same size, because in another process a Put may
// continue for a while after its caller got an error.
func storageDisturbed(t testing.TB, s stage.Storage, disturbed int, prepare func() (ctx context.Context, disturb func() error),
	next func(s stage.Storage) stage.Storage, accept func(err error)) stage.Storage {
	old := random(0, disturbed)
	var took time.Duration
	for n := range steps {
		data := random(uint64(n)+1, disturbed)
		for _, there := range []bool{true, false} {
			name := fmt.Sprintf("new-%d", n)
			if there {
				name = fmt.Sprintf("kept-%d", n)
				start := time.Now()
				must(t, "put", s.Put(t.Context(), name, old))
				took = time.Since(start)
			}
			ctx, disturb := prepare()
			err := during(t, "put", moment(n, took), disturb, func() error { return s.Put(ctx, name, data) })
			if err != nil {
				accept(err)
			}
			s = next(s)
			got, getErr := s.Get(t.Context(), nil, name, 0, -1)
			switch {
			case getErr == nil && bytes.Equal(got, data):
			case err == nil:
				t.Errorf("Put of %s succeeded, but the object is not complete: %d of %d bytes (%v)", name, len(got), len(data), getErr)
			case there && (getErr != nil || !bytes.Equal(got, old)):
				t.Errorf("a Put that failed with %q leaves neither the old nor the new object: %d bytes (%v)", err, len(got), getErr)
			case !there && !errors.Is(getErr, stage.ErrNotExist):
				t.Errorf("a Put that failed with %q leaves a partial object: %d of %d bytes (%v)", err, len(got), len(data), getErr)
			}
			wantListed(t, s, disturbed)
		}
	}
	return s
}

// wantListed fails unless every listed object can be read with the listed size.
func wantListed(t testing.TB, s stage.Storage, size int) {
	t.Helper()
	var all []stage.Object
	must(t, "list", s.List(t.Context(), "", func(o stage.Object) error { all = append(all, o); return nil }))
	for _, o := range all {
		wantSize(t, s, o.Name, int(o.Size))
		if o.Size != int64(size) {
			t.Errorf("%s is listed with %d bytes, but always had %d", o.Name, o.Size, size)
		}
	}
}

func storageCancelledPut(t testing.TB, p *storagePlace) {
	s := storageDisturbed(t, p.open(t), p.effort.disturbed(), func() (context.Context, func() error) {
		ctx, cancel := context.WithCancel(t.Context())
		return ctx, func() error { cancel(); return nil }
	}, func(s stage.Storage) stage.Storage { return s }, func(err error) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled Put: %v", err)
		}
	})
	if p.Process == nil {
		closeStorage(t, s)
		return
	}
	must(t, "kill", p.Process.Kill()) // a Put that is still running must not store an object after the cleanup
	closeCrashed(t, s)
}

func storageCrash(t testing.TB, p *storagePlace) {
	s := storageDisturbed(t, p.open(t), p.effort.disturbed(), func() (context.Context, func() error) {
		return t.Context(), p.Process.Kill
	}, func(s stage.Storage) stage.Storage {
		closeCrashed(t, s)
		return p.reopen(t)
	}, func(err error) { t.Logf("a Put whose process was killed: %v", err) })
	closeStorage(t, s)
}

// storageDurable inspects stored objects while the storage is open, after it was abandoned
// without Close, and after Close.
func storageDurable(t testing.TB, p *storagePlace) {
	objects := map[string][]byte{"data/kept": []byte("kept"), "data/large": random(1, 2<<20), "empty": {}}
	writer := p.open(t)
	for name, data := range objects {
		must(t, "put", writer.Put(t.Context(), name, data))
	}
	look := func(when string) {
		s := p.reopen(t)
		defer closeStorage(t, s)
		for name, data := range objects {
			got, err := s.Get(t.Context(), nil, name, 0, -1)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s, %s has %d of %d bytes (%v)", when, name, len(got), len(data), err)
			}
		}
		wantList(t, s, "", "data/kept", "data/large", "empty")
	}
	look("while the storage is open")
	if p.Process != nil {
		must(t, "kill", p.Process.Kill())
		closeCrashed(t, writer)
		look("after the process was killed")
	} else {
		closeStorage(t, writer)
	}
	look("after the storage was closed")
}
