package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

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
