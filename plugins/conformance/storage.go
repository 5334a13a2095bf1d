package conformance

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// Storage tests a storage. open makes an empty one; reopen, which may be nil for
// one that ends with its process, opens what was stored there again after Close.
func Storage(t *testing.T, open func(t testing.TB) stage.Storage, reopen func(t testing.TB) stage.Storage) {
	with := func(name string, check func(t *testing.T, s stage.Storage)) {
		t.Run(name, func(t *testing.T) {
			leakless(t, func() {
				s := open(t)
				check(t, s)
				must(t, "close", s.Close(context.WithoutCancel(t.Context())))
			})
		})
	}
	with("put, get, stat", storagePutGet)
	with("ranges", storageRanges)
	with("replace", storageReplace)
	with("list", storageList)
	with("delete", storageDelete)
	with("missing", storageMissing)
	with("names", storageNames)
	with("large objects", storageLarge)
	with("concurrent", storageConcurrent)
	with("cancelled", storageCancelled)
	if reopen == nil {
		return
	}
	t.Run("durable", func(t *testing.T) {
		s := open(t)
		must(t, "put", s.Put(t.Context(), "data/kept", []byte("kept")))
		must(t, "close", s.Close(t.Context()))
		s = reopen(t)
		wantObject(t, s, "data/kept", []byte("kept"))
		must(t, "close", s.Close(t.Context()))
	})
}

// random makes n bytes that are the same for the same seed.
func random(seed uint64, n int) []byte {
	b := make([]byte, n)
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	rand.NewChaCha8(key).Read(b) // never fails
	return b
}

func wantObject(t testing.TB, s stage.Storage, name string, want []byte) {
	t.Helper()
	got, err := s.Get(t.Context(), nil, name, 0, -1)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s holds %d bytes, not the %d that were put (%v)", name, len(got), len(want), err)
	}
	o, err := s.Stat(t.Context(), name)
	if err != nil || o.Name != name || o.Size != int64(len(want)) {
		t.Errorf("stat of %s, of %d bytes: %+v, %v", name, len(want), o, err)
	}
}

func storagePutGet(t *testing.T, s stage.Storage) {
	for i, size := range []int{0, 1, 4095, 100_000} {
		name, want := fmt.Sprintf("data/object-%d", i), random(uint64(i), size)
		data := bytes.Clone(want)
		must(t, "put", s.Put(t.Context(), name, data))
		clear(data) // belongs to the caller again
		wantObject(t, s, name, want)
	}
}

func storageRanges(t *testing.T, s stage.Storage) {
	data := random(1, 10_000)
	must(t, "put", s.Put(t.Context(), "ranged", data))
	for _, r := range [][2]int64{{0, 10_000}, {0, 1}, {9_999, 1}, {5_000, 100}, {5_000, -1}, {0, 0}, {10_000, 0}, {10_000, -1}} {
		dst := []byte("before")
		got, err := s.Get(t.Context(), dst, "ranged", r[0], r[1])
		end := r[0] + r[1]
		if r[1] < 0 {
			end = int64(len(data))
		}
		if want := append([]byte("before"), data[r[0]:end]...); err != nil || !bytes.Equal(got, want) {
			t.Errorf("range %v: %d bytes appended, want %d (%v)", r, len(got)-len(dst), len(want)-len(dst), err)
		}
	}
	for _, r := range [][2]int64{{0, 10_001}, {9_999, 2}, {10_001, 1}, {10_001, -1}} {
		if _, err := s.Get(t.Context(), nil, "ranged", r[0], r[1]); err == nil {
			t.Errorf("range %v is not all there and no error", r)
		}
	}
}

func storageReplace(t *testing.T, s stage.Storage) {
	for _, size := range []int{10_000, 10, 20_000, 0} {
		want := random(uint64(size), size)
		must(t, "put", s.Put(t.Context(), "replaced", want))
		wantObject(t, s, "replaced", want)
	}
	wantList(t, s, "", "replaced")
}

func wantList(t testing.TB, s stage.Storage, prefix string, want ...string) {
	t.Helper()
	var got []string
	err := s.List(t.Context(), prefix, func(o stage.Object) error {
		got = append(got, o.Name)
		return nil
	})
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("objects of prefix %q: %q, want %q (%v)", prefix, got, want, err)
	}
}

func storageList(t *testing.T, s stage.Storage) {
	wantList(t, s, "")
	all := []string{"config", "data/aa/1", "data/aa/2", "data/ab/1", "database", "index/1", "snapshots/s.1"}
	for i, name := range all {
		must(t, "put", s.Put(t.Context(), name, random(1, i)))
	}
	wantList(t, s, "", all...)
	wantList(t, s, "data/", "data/aa/1", "data/aa/2", "data/ab/1")
	wantList(t, s, "data", "data/aa/1", "data/aa/2", "data/ab/1", "database")
	wantList(t, s, "data/a", "data/aa/1", "data/aa/2", "data/ab/1")
	wantList(t, s, "data/aa/1", "data/aa/1")
	wantList(t, s, "x")
	wantList(t, s, "nothing/there/")
	for i, name := range all {
		err := s.List(t.Context(), name, func(o stage.Object) error {
			if o.Name == name && o.Size != int64(i) {
				t.Errorf("%s is listed with %d bytes, and has %d", name, o.Size, i)
			}
			return nil
		})
		must(t, "list", err)
	}
	stop := errors.New("stop")
	calls := 0
	err := s.List(t.Context(), "data/", func(stage.Object) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("a callback that fails is called %d times, and List returns %v", calls, err)
	}
}

func storageDelete(t *testing.T, s stage.Storage) {
	must(t, "put", s.Put(t.Context(), "a/b/1", []byte("1")))
	must(t, "put", s.Put(t.Context(), "a/b/2", []byte("2")))
	must(t, "delete", s.Delete(t.Context(), "a/b/1"))
	must(t, "delete again", s.Delete(t.Context(), "a/b/1"))
	must(t, "delete what never was", s.Delete(t.Context(), "never/was"))
	wantList(t, s, "", "a/b/2")
	must(t, "delete", s.Delete(t.Context(), "a/b/2"))
	wantList(t, s, "")
	must(t, "put again", s.Put(t.Context(), "a/b/1", []byte("3")))
	wantObject(t, s, "a/b/1", []byte("3"))
}

func storageMissing(t *testing.T, s stage.Storage) {
	must(t, "put", s.Put(t.Context(), "there/is", []byte("1")))
	for _, name := range []string{"nothing", "there", "there/is/not", "there/is.not"} {
		if _, err := s.Get(t.Context(), nil, name, 0, -1); !errors.Is(err, stage.ErrNotExist) {
			t.Errorf("get of %s: %v, want ErrNotExist", name, err)
		}
		if _, err := s.Stat(t.Context(), name); !errors.Is(err, stage.ErrNotExist) {
			t.Errorf("stat of %s: %v, want ErrNotExist", name, err)
		}
	}
}

func storageNames(t *testing.T, s stage.Storage) {
	names := []string{"0", "a.b-c_d", strings.Repeat("a", 100) + "/" + strings.Repeat("b", 99), "-dash", "_", "a/b/c/d/e/f/g", "x.tmp", ".dot/.dot"}
	for i, name := range names {
		must(t, "put "+name, s.Put(t.Context(), name, random(uint64(i), 10)))
	}
	for i, name := range names {
		wantObject(t, s, name, random(uint64(i), 10))
	}
	wantList(t, s, "", names...)
}

func storageLarge(t *testing.T, s stage.Storage) {
	data := random(1, 20<<20)
	must(t, "put", s.Put(t.Context(), "large", data))
	wantObject(t, s, "large", data)
}

// storageConcurrent puts one name and many names at once while others read and list.
func storageConcurrent(t *testing.T, s stage.Storage) {
	const workers, objects = 8, 20
	versions := map[string]bool{}
	for i := range workers {
		versions[string(random(uint64(i), 5000))] = true
	}
	must(t, "put", s.Put(t.Context(), "shared", random(0, 5000)))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range objects {
				name := fmt.Sprintf("data/%d-%d", w, i)
				err := s.Put(t.Context(), name, random(uint64(i), 1000))
				if err == nil {
					err = s.Put(t.Context(), "shared", random(uint64(w), 5000))
				}
				if err != nil {
					t.Errorf("put: %v", err)
				}
				got, err := s.Get(t.Context(), nil, "shared", 0, -1)
				if err != nil || !versions[string(got)] {
					t.Errorf("an object that is being replaced is seen in part: %d bytes (%v)", len(got), err)
				}
				if err := s.List(t.Context(), "data/", func(o stage.Object) error {
					if o.Size != 1000 {
						t.Errorf("%s is listed with %d bytes", o.Name, o.Size)
					}
					return nil
				}); err != nil {
					t.Errorf("list: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for w := range workers {
		for i := range objects {
			wantObject(t, s, fmt.Sprintf("data/%d-%d", w, i), random(uint64(i), 1000))
		}
	}
}

func storageCancelled(t *testing.T, s stage.Storage) {
	must(t, "put", s.Put(t.Context(), "before", []byte("1")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, call := range map[string]func() error{
		"put":  func() error { return s.Put(ctx, "late", []byte("1")) },
		"get":  func() error { _, err := s.Get(ctx, nil, "before", 0, -1); return err },
		"list": func() error { return s.List(ctx, "", func(stage.Object) error { return nil }) },
		"stat": func() error { _, err := s.Stat(ctx, "before"); return err },
		"del":  func() error { return s.Delete(ctx, "before") },
	} {
		if err := promptly(t, what, call); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a cancelled context: %v", what, err)
		}
	}
}
