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

// random returns n bytes, the same for the same seed.
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
		t.Errorf("%s holds %d bytes, not the %d bytes stored (%v)", name, len(got), len(want), err)
	}
	wantSize(t, s, name, len(want))
}

func wantSize(t testing.TB, s stage.Storage, name string, want int) {
	t.Helper()
	o, err := s.Stat(t.Context(), name)
	if err != nil || o.Name != name || o.Size != int64(want) {
		t.Errorf("stat of %s, of %d bytes: %+v, %v", name, want, o, err)
	}
}

func storagePutGet(t testing.TB, s stage.Storage) {
	for i, size := range []int{0, 1, 4095, 32 << 10, 100_000, 1 << 20} {
		name, want := fmt.Sprintf("data/object-%d", i), random(uint64(i), size)
		must(t, "put", s.Put(t.Context(), name, bytes.Clone(want)))
		wantObject(t, s, name, want)
	}
	must(t, "put of no bytes", s.Put(t.Context(), "empty", nil))
	wantObject(t, s, "empty", nil)
	wantList(t, s, "empty", "empty")
}

func storageBuffers(t testing.TB, s stage.Storage) {
	want := random(1, 5000)
	data := bytes.Clone(want)
	must(t, "put", s.Put(t.Context(), "object", data))
	if !bytes.Equal(data, want) {
		t.Error("Put changes its input")
	}
	clear(data) // the caller may reuse it
	wantObject(t, s, "object", want)
	first, err := s.Get(t.Context(), nil, "object", 0, -1)
	must(t, "get", err)
	must(t, "put", s.Put(t.Context(), "other", random(2, 5000)))
	if _, err := s.Get(t.Context(), nil, "other", 0, -1); err != nil || !bytes.Equal(first, want) {
		t.Errorf("the next Get changes the bytes returned (%v)", err)
	}
	clear(first)
	wantObject(t, s, "object", want)
	dst := append(make([]byte, 0, 10_000), "before"...)
	got, err := s.Get(t.Context(), dst, "object", 0, -1)
	if rest, ok := bytes.CutPrefix(got, []byte("before")); err != nil || !ok || !bytes.Equal(rest, want) {
		t.Errorf("Get does not append to a buffer with free capacity (%v)", err)
	}
}

func storageRanges(t testing.TB, s stage.Storage) {
	data := random(1, 10_000)
	must(t, "put", s.Put(t.Context(), "ranged", data))
	for _, r := range [][2]int64{{0, 10_000}, {0, 1}, {1, 1}, {9_999, 1}, {9_999, -1}, {5_000, 100}, {5_000, -1}, {0, -1}, {0, 0}, {10_000, 0}, {10_000, -1}} {
		dst := []byte("before")
		got, err := s.Get(t.Context(), dst, "ranged", r[0], r[1])
		end := r[0] + r[1]
		if r[1] < 0 {
			end = int64(len(data))
		}
		if want := append([]byte("before"), data[r[0]:end]...); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes from %d: got %d bytes, want %d, or wrong content (%v)", r[1], r[0], len(got)-len(dst), len(want)-len(dst), err)
		}
	}
	for _, r := range [][2]int64{{0, 10_001}, {9_999, 2}, {10_001, 1}, {10_001, -1}, {20_000, 0}} {
		if _, err := s.Get(t.Context(), nil, "ranged", r[0], r[1]); err == nil {
			t.Errorf("%d bytes from %d exceed the object without an error", r[1], r[0])
		}
	}
}

func storageReplace(t testing.TB, s stage.Storage) {
	for _, size := range []int{10_000, 10_000, 10, 20_000, 0, 0, 1} {
		want := random(uint64(size), size)
		must(t, "put", s.Put(t.Context(), "replaced", want))
		wantObject(t, s, "replaced", want)
	}
	wantList(t, s, "", "replaced")
}

func storageDelete(t testing.TB, s stage.Storage) {
	must(t, "put", s.Put(t.Context(), "a/b/1", []byte("1")))
	must(t, "put", s.Put(t.Context(), "a/b/12", []byte("2")))
	must(t, "delete", s.Delete(t.Context(), "a/b/1"))
	must(t, "delete again", s.Delete(t.Context(), "a/b/1"))
	must(t, "delete a missing object", s.Delete(t.Context(), "never/was"))
	must(t, "delete below an object", s.Delete(t.Context(), "a/b/12/3"))
	wantList(t, s, "", "a/b/12")
	wantObject(t, s, "a/b/12", []byte("2"))
	must(t, "delete", s.Delete(t.Context(), "a/b/12"))
	wantList(t, s, "")
	must(t, "put again", s.Put(t.Context(), "a/b/1", []byte("3")))
	wantObject(t, s, "a/b/1", []byte("3"))
}

func storageMissing(t testing.TB, s stage.Storage) {
	must(t, "put", s.Put(t.Context(), "there/is", []byte("1")))
	must(t, "put", s.Put(t.Context(), "deleted", []byte("1")))
	must(t, "delete", s.Delete(t.Context(), "deleted"))
	for _, name := range []string{"nothing", "there", "there/is/not", "there/is.not", "there/i", "deleted"} {
		for _, r := range [][2]int64{{0, -1}, {0, 0}, {0, 1}, {100, 10}, {100, -1}} {
			if got, err := s.Get(t.Context(), []byte("x"), name, r[0], r[1]); !errors.Is(err, stage.ErrNotExist) || len(got) > 1 {
				t.Errorf("get of %d bytes from %d of %s: %v, want ErrNotExist", r[1], r[0], name, err)
			}
		}
		_, err := s.Stat(t.Context(), name)
		if !errors.Is(err, stage.ErrNotExist) {
			t.Errorf("stat of %s: %v, want ErrNotExist", name, err)
		}
		if _, again := stage.IsTemporary(err); again {
			t.Errorf("stat of missing %s: the error is temporary and would be retried: %v", name, err)
		}
	}
}

func storageNames(t testing.TB, s stage.Storage) {
	n := longest(s)
	names := []string{
		"0", "a.b-c_d", "-dash", "_", "a/b/c/d/e/f/g", "x.tmp", ".dot/.dot", "..two", "con", "c.d..e",
		strings.Repeat("a", n),
		strings.Repeat("a", n/2) + "/" + strings.Repeat("b", n-n/2-1),
		strings.Repeat("d/", 30) + "e",
	}
	for i, name := range names {
		must(t, "put "+name, s.Put(t.Context(), name, random(uint64(i), 10)))
	}
	for i, name := range names {
		wantObject(t, s, name, random(uint64(i), 10))
	}
	wantList(t, s, "", names...)
}

func storageLarge(t testing.TB, p *storagePlace) {
	s, large := p.open(t), p.effort.large()
	defer closeStorage(t, s)
	data := random(1, large)
	must(t, "put", s.Put(t.Context(), "large", data))
	wantObject(t, s, "large", data)
	got, err := s.Get(t.Context(), nil, "large", int64(large)-1000, 1000)
	if err != nil || !bytes.Equal(got, data[large-1000:]) {
		t.Errorf("the last bytes of a large object: got %d bytes or wrong content (%v)", len(got), err)
	}
}

// storageConcurrent puts one name and many names at once while other goroutines read and
// list.
func storageConcurrent(t testing.TB, s stage.Storage) {
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
					t.Errorf("a partial object is visible during a replacement: %d bytes (%v)", len(got), err)
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

func storageCancelled(t testing.TB, s stage.Storage) {
	must(t, "put", s.Put(t.Context(), "before", []byte("1")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, call := range map[string]func() error{
		"put":     func() error { return s.Put(ctx, "late", []byte("1")) },
		"replace": func() error { return s.Put(ctx, "before", []byte("2")) },
		"get":     func() error { _, err := s.Get(ctx, nil, "before", 0, -1); return err },
		"list":    func() error { return s.List(ctx, "", func(stage.Object) error { return nil }) },
		"stat":    func() error { _, err := s.Stat(ctx, "before"); return err },
		"delete":  func() error { return s.Delete(ctx, "before") },
	} {
		if err := promptly(t, what, call); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a cancelled context: %v", what, err)
		}
	}
	wantObject(t, s, "before", []byte("1"))
	wantList(t, s, "", "before")
}

func storageFree(t testing.TB, s stage.Storage) {
	c, ok := capacity(s)
	if !ok {
		t.Skip("the storage is not a stage.Capacity")
	}
	for range 2 {
		if n, err := c.Free(t.Context()); err != nil || n < -1 {
			t.Errorf("free space is %d bytes, %v", n, err)
		}
	}
	wantList(t, s, "")
}

func wantList(t testing.TB, s stage.Storage, prefix string, want ...string) {
	t.Helper()
	got := []string{}
	err := s.List(t.Context(), prefix, func(o stage.Object) error {
		got = append(got, o.Name)
		return nil
	})
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("objects of prefix %q: %q, want %q (%v)", prefix, got, want, err)
	}
}

func storageList(t testing.TB, s stage.Storage) {
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
				t.Errorf("%s is listed with %d bytes, has %d", name, o.Size, i)
			}
			return nil
		})
		must(t, "list", err)
	}
}

func storagePrefixes(t testing.TB, s stage.Storage) {
	all := []string{"a", "aa", "a.b", "a-b", "a_b", "a0", "b/a", "b/aa", "b/a.tmp", "b/a-/c", "bb"}
	for i, name := range all {
		must(t, "put", s.Put(t.Context(), name, random(uint64(i), i)))
	}
	for i, name := range all {
		wantObject(t, s, name, random(uint64(i), i))
	}
	wantList(t, s, "", all...)
	wantList(t, s, "a", "a", "aa", "a.b", "a-b", "a_b", "a0")
	wantList(t, s, "aa", "aa")
	wantList(t, s, "b", "b/a", "b/aa", "b/a.tmp", "b/a-/c", "bb")
	wantList(t, s, "b/", "b/a", "b/aa", "b/a.tmp", "b/a-/c")
	wantList(t, s, "b/a", "b/a", "b/aa", "b/a.tmp", "b/a-/c")
	wantList(t, s, "b/a-", "b/a-/c")
	wantList(t, s, "a/")
	must(t, "delete", s.Delete(t.Context(), "a"))
	wantList(t, s, "a", "aa", "a.b", "a-b", "a_b", "a0")
}

func storageListMany(t testing.TB, s stage.Storage) {
	names := make([]string, 2500)
	for i := range names {
		names[i] = fmt.Sprintf("many/%02x/%d", i%7, i)
	}
	each(t, names, func(i int, name string) error { return s.Put(t.Context(), name, []byte{byte(i)}) })
	times := map[string]int{}
	err := s.List(t.Context(), "many/", func(o stage.Object) error {
		if times[o.Name]++; o.Size != 1 {
			t.Errorf("%s is listed with %d bytes, has 1", o.Name, o.Size)
		}
		return nil
	})
	must(t, "list", err)
	missing := 0
	for _, name := range names {
		if times[name] == 0 {
			missing++
		}
		if times[name] > 1 {
			t.Errorf("%s is listed %d times", name, times[name])
		}
	}
	if missing > 0 || len(times) != len(names)-missing {
		t.Errorf("of %d objects %d are not listed; %d unknown objects are", len(names), missing, len(times)+missing-len(names))
	}
}

func storageListStop(t testing.TB, s stage.Storage) {
	for i := range 3 {
		must(t, "put", s.Put(t.Context(), fmt.Sprintf("data/%d", i), []byte("1")))
	}
	stop := errors.New("stop")
	calls := 0
	err := promptly(t, "a list with a failing callback", func() error {
		return s.List(t.Context(), "data/", func(stage.Object) error { calls++; return stop })
	})
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("a failing callback is called %d times and List returns %v, want its error", calls, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err = promptly(t, "a cancelled list", func() error {
		return s.List(ctx, "data/", func(stage.Object) error { cancel(); return ctx.Err() })
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("list cancelled in its callback: %v", err)
	}
	wantList(t, s, "", "data/0", "data/1", "data/2") // the storage still works
}
