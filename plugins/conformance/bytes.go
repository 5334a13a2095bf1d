package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// BytesFixture opens the byte transform under test.
type BytesFixture struct {
	// Open makes a transform. The suite gives a key to one that is stage.Keyed.
	Open func(t testing.TB) stage.ByteTransform
	// Stranger makes a Keyed transform with a different secret. It may be nil.
	Stranger func(t testing.TB) stage.ByteTransform
	// Friend makes a transform of the same stage with a different secret, for writing. It
	// enables the check of stage.Sharer and may be nil.
	Friend func(t testing.TB) stage.ByteTransform
	// Process enables the checks that kill the process. It may be nil.
	Process Process

	effort effort
}

// Bytes tests a byte transform. A stage.Keyed transform must also bind the name and detect
// every changed bit.
func Bytes(t *testing.T, f BytesFixture) { runAll(t, BytesChecks(f)) }

// BytesChecks returns the checks of a byte transform. Checks for stage.Keyed are skipped if
// it is not Keyed.
func BytesChecks(f BytesFixture) []Check {
	k := &keyring{BytesFixture: f}
	checks := []Check{
		k.check("bytes/round-trip", "Invert returns the input of Apply for content of every size and kind, and neither changes its input. Otherwise no backup can be restored.", bytesRoundTrip),
		k.check("bytes/large", "A blob of 64 MiB is transformed. A single row can be that large and must not be skipped for its size.", k.large),
		k.check("bytes/limit", "Invert fails rather than append more than the limit. A manipulated blob must not exhaust memory.", bytesLimit),
		k.check("bytes/concurrent", "Blobs can be transformed concurrently. All workers use the same transform.", bytesConcurrent),
		k.check("bytes/cancelled", "A call whose context has ended returns its error or its result promptly. A cancelled run must stop.", bytesCancelled),
		k.check("bytes/garbage", "Damaged input gives an error or other bytes within the limit, never a crash. With a key it is always an error. Damage to a backup must be detected.", k.garbage),
		k.keyed("bytes/name", "A blob sealed under one name cannot be opened under another. Otherwise anyone who can write to the storage can swap blobs.", bytesName),
		k.keyed("bytes/second-opening", "Another transform with the same header opens what this one sealed. A restore runs in a different process.", k.secondOpening),
		k.keyed("bytes/damaged-header", "A damaged header is refused. Otherwise everything written afterwards would be unreadable.", k.damagedHeader),
	}
	if f.Stranger != nil {
		checks = append(checks, k.keyed("bytes/wrong-key", "A key that does not fit the header is reported as ErrKey. The user must learn that the passphrase is wrong, not that the backup is damaged.", k.wrongKey))
	}
	if f.Stranger != nil {
		checks = append(checks, k.keyed("bytes/next-header", "A transform that could not open one header opens the next: a repository may have several headers of a key, and tries one after the other.", k.nextHeader))
	}
	if f.Friend != nil {
		checks = append(checks, k.keyed("bytes/share", "A shared key is the same key: the new readers can open everything, and only once for each set of readers. Otherwise a changed passphrase loses the backups.", k.share))
	}
	if f.Process != nil {
		checks = append(checks, k.check("crash/apply", "If the process is killed, calls return an error or the right bytes, and a new transform opens what was sealed before.", k.crash))
	}
	return checks
}

func (k *keyring) check(id, why string, test func(t testing.TB, b stage.ByteTransform)) Check {
	return Check{ID: id, Why: why, Run: func(t testing.TB) { leakless(t, k.effort.leakTimeout(), func() { test(t, k.ready(t)) }) }}
}

// samples returns random, repetitive and mixed content of many sizes.
func samples() (all [][]byte) {
	for _, n := range []int{0, 1, 2, 15, 16, 17, 100, 1000, 65_535, 65_536, 65_537, 3 << 20} {
		all = append(all, random(uint64(n), n), bytes.Repeat([]byte("vault\tmdl_\n"), n/11+1)[:n])
		mixed := random(uint64(n), n)
		clear(mixed[n/3 : n/2])
		all = append(all, mixed)
	}
	return all
}

func flip(b []byte, at int) []byte {
	c := bytes.Clone(b)
	c[at] ^= 1
	return c
}

func bytesRoundTrip(t testing.TB, b stage.ByteTransform) {
	for i, want := range samples() {
		src, name := bytes.Clone(want), fmt.Sprintf("data/%d", i)
		out, err := b.Apply(t.Context(), []byte("before"), src, name)
		must(t, "apply", err)
		if !bytes.Equal(src, want) {
			t.Fatalf("sample %d: Apply changes its input", i)
		}
		sealed, ok := bytes.CutPrefix(out, []byte("before"))
		if !ok {
			t.Fatalf("sample %d: Apply does not append", i)
		}
		clear(src) // the caller may reuse it
		kept := bytes.Clone(sealed)
		got, err := b.Invert(t.Context(), []byte("before"), sealed, name, len(want))
		if err != nil || !bytes.Equal(got, append([]byte("before"), want...)) {
			t.Errorf("sample %d of %d bytes does not round-trip (%v)", i, len(want), err)
		}
		if !bytes.Equal(sealed, kept) {
			t.Errorf("sample %d: Invert changes its input", i)
		}
	}
}

func bytesLimit(t testing.TB, b stage.ByteTransform) {
	for i, want := range samples() {
		if len(want) == 0 {
			continue
		}
		sealed, err := b.Apply(t.Context(), nil, want, "name")
		must(t, "apply", err)
		for _, limit := range []int{len(want) - 1, len(want) / 2, 0} {
			got, err := b.Invert(t.Context(), nil, sealed, "name", limit)
			if err == nil || len(got) > limit {
				t.Errorf("sample %d of %d bytes under limit %d: %d bytes, %v", i, len(want), limit, len(got), err)
			}
		}
	}
}

func bytesConcurrent(t testing.TB, b stage.ByteTransform) {
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 20 {
				want := append(random(uint64(w), 5000*i), make([]byte, 10_000)...)
				name := fmt.Sprintf("%d-%d", w, i)
				sealed, err := b.Apply(t.Context(), nil, want, name)
				if err != nil {
					t.Errorf("apply: %v", err)
					continue
				}
				if got, err := b.Invert(t.Context(), nil, sealed, name, len(want)); err != nil || !bytes.Equal(got, want) {
					t.Errorf("content does not round-trip under concurrency: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func (k *keyring) large(t testing.TB, b stage.ByteTransform) {
	large := k.effort.large()
	want := random(1, large)
	clear(want[large/4 : large/2])
	sealed, err := b.Apply(t.Context(), nil, want, "large")
	must(t, "apply", err)
	got, err := b.Invert(t.Context(), nil, sealed, "large", large)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes do not round-trip: got %d (%v)", len(want), len(got), err)
	}
}

// bytesCancelled accepts either result, since a transform may finish before it checks its
// context.
func bytesCancelled(t testing.TB, b stage.ByteTransform) {
	want := random(1, 1<<20)
	sealed, err := b.Apply(t.Context(), nil, want, "name")
	must(t, "apply", err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var got []byte
	for what, call := range map[string]func() error{
		"apply":  func() (err error) { _, err = b.Apply(ctx, nil, want, "name"); return err },
		"invert": func() (err error) { got, err = b.Invert(ctx, nil, sealed, "name", len(want)); return err },
	} {
		err := promptly(t, what, call)
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a cancelled context: %v", what, err)
		}
		if what == "invert" && err == nil && !bytes.Equal(got, want) {
			t.Error("invert with a cancelled context returns part of the content without an error")
		}
	}
	got, err = b.Invert(t.Context(), nil, sealed, "name", len(want))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("after a cancelled call, content does not round-trip: %v", err)
	}
}
