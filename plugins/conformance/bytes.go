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

// BytesFixture makes byte transforms.
type BytesFixture struct {
	// Open makes a transform. One that is stage.Keyed is given a key by the suite.
	Open func(t testing.TB) stage.ByteTransform
	// Stranger makes one that is given another key: of a Keyed transform only. It may be nil.
	Stranger func(t testing.TB) stage.ByteTransform
	// Process adds the checks that kill. It may be nil.
	Process Process

	effort effort
}

// Bytes tests a byte transform. One that is stage.Keyed must also bind the name
// and find every changed bit.
func Bytes(t *testing.T, f BytesFixture) { runAll(t, BytesChecks(f)) }

// BytesChecks lists the checks of a byte transform. Those of stage.Keyed skip
// one that is not.
func BytesChecks(f BytesFixture) []Check {
	k := &keyring{BytesFixture: f}
	checks := []Check{
		k.check("bytes/round-trip", "Invert gives back what Apply was given, for content of every size and kind, and neither changes its input: else no backup can be restored.", bytesRoundTrip),
		k.check("bytes/large", "A blob of 64 MiB passes: one row of a table can be as large, and must not be left out for its size.", k.large),
		k.check("bytes/limit", "Invert appends no more than the limit and fails instead: a blob that was tampered with must not fill the memory.", bytesLimit),
		k.check("bytes/concurrent", "Blobs that are transformed at the same time don't disturb each other: every worker uses the same transform.", bytesConcurrent),
		k.check("bytes/cancelled", "A call whose context has ended returns, with its error or its result: a run that was stopped must stop.", bytesCancelled),
		k.check("bytes/garbage", "Damaged bytes are an error or other bytes within the limit, never a crash; under a key always an error: a damaged backup must be noticed.", k.garbage),
		k.keyed("bytes/name", "What was sealed under one name opens under no other: else who can write to the storage can exchange one blob for another.", bytesName),
		k.keyed("bytes/second-opening", "What one transform seals another opens that was given the same header: a restore runs on another day.", k.secondOpening),
		k.keyed("bytes/damaged-header", "A damaged header is refused: else all that is written next could never be read.", k.damagedHeader),
	}
	if f.Stranger != nil {
		checks = append(checks, k.keyed("bytes/wrong-key", "A key that doesn't fit the header is told by ErrKey: a person must learn that the passphrase is wrong, not that the backup is damaged.", k.wrongKey))
	}
	if f.Process != nil {
		checks = append(checks, k.check("crash/apply", "When the process is killed, calls end with an error or the right bytes, and a new transform opens what was made before.", k.crash))
	}
	return checks
}

func (k *keyring) check(id, why string, test func(t testing.TB, b stage.ByteTransform)) Check {
	return Check{ID: id, Why: why, Run: func(t testing.TB) { leakless(t, k.effort.leakTimeout(), func() { test(t, k.ready(t)) }) }}
}

// samples are random, repetitive and mixed content of many sizes.
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
		clear(src) // belongs to the caller again
		kept := bytes.Clone(sealed)
		got, err := b.Invert(t.Context(), []byte("before"), sealed, name, len(want))
		if err != nil || !bytes.Equal(got, append([]byte("before"), want...)) {
			t.Errorf("sample %d of %d bytes does not come back (%v)", i, len(want), err)
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
					t.Errorf("content does not come back beside others: %v", err)
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
		t.Errorf("%d bytes do not come back: %d do (%v)", len(want), len(got), err)
	}
}

// bytesCancelled allows both results, as a transform may be done before it looks.
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
			t.Error("invert with a cancelled context gives a part, and no error")
		}
	}
	got, err = b.Invert(t.Context(), nil, sealed, "name", len(want))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("after a cancelled call, content does not come back: %v", err)
	}
}
