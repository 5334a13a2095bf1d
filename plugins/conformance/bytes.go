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
	// Stranger makes one that is given another key: of a Keyed transform only.
	Stranger func(t testing.TB) stage.ByteTransform
}

// Bytes tests a byte transform. One that is stage.Keyed must also bind the place
// and find every changed bit.
func Bytes(t *testing.T, f BytesFixture) {
	var header []byte
	ready := func(t testing.TB) stage.ByteTransform {
		b := f.Open(t)
		k, ok := b.(stage.Keyed)
		if !ok {
			return b
		}
		if header == nil {
			h, err := k.Create(t.Context())
			must(t, "create", err)
			header = h
			return b
		}
		if !k.CanOpen() {
			t.Fatal("the fixture's transform must be given what opens its header")
		}
		must(t, "open", k.Open(t.Context(), header))
		return b
	}
	_, keyed := f.Open(t).(stage.Keyed)
	for name, check := range map[string]func(t *testing.T, b stage.ByteTransform){
		"round trip": bytesRoundTrip, "limit": bytesLimit, "concurrent": bytesConcurrent,
		"garbage": func(t *testing.T, b stage.ByteTransform) { bytesGarbage(t, b, keyed) },
	} {
		t.Run(name, func(t *testing.T) { leakless(t, func() { check(t, ready(t)) }) })
	}
	if !keyed {
		return
	}
	t.Run("place", func(t *testing.T) { bytesPlace(t, ready(t)) })
	t.Run("second opening", func(t *testing.T) {
		sealed, err := ready(t).Apply(t.Context(), nil, []byte("content"), "place")
		must(t, "apply", err)
		got, err := ready(t).Invert(t.Context(), nil, sealed, "place", 7)
		if err != nil || string(got) != "content" {
			t.Errorf("what one seals another of the same header opens to %q, %v", got, err)
		}
	})
	t.Run("wrong key", func(t *testing.T) {
		ready(t)
		k, ok := f.Stranger(t).(stage.Keyed)
		if !ok {
			t.Fatal("the stranger is not keyed")
		}
		if err := k.Open(t.Context(), header); !errors.Is(err, stage.ErrKey) {
			t.Errorf("a header opened with the wrong key: %v, want ErrKey", err)
		}
	})
	t.Run("damaged header", func(t *testing.T) {
		ready(t)
		for _, bad := range [][]byte{nil, header[:len(header)/2], flip(header, len(header)-1), random(1, len(header))} {
			k, ok := f.Open(t).(stage.Keyed)
			if !ok || k.Open(t.Context(), bad) == nil {
				t.Errorf("a damaged header of %d bytes is taken", len(bad))
			}
		}
	})
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

func bytesRoundTrip(t *testing.T, b stage.ByteTransform) {
	for i, want := range samples() {
		src, place := bytes.Clone(want), fmt.Sprintf("data/%d", i)
		out, err := b.Apply(t.Context(), []byte("before"), src, place)
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
		got, err := b.Invert(t.Context(), []byte("before"), sealed, place, len(want))
		if err != nil || !bytes.Equal(got, append([]byte("before"), want...)) {
			t.Errorf("sample %d of %d bytes does not come back (%v)", i, len(want), err)
		}
		if !bytes.Equal(sealed, kept) {
			t.Errorf("sample %d: Invert changes its input", i)
		}
	}
}

func bytesLimit(t *testing.T, b stage.ByteTransform) {
	for i, want := range samples() {
		if len(want) == 0 {
			continue
		}
		sealed, err := b.Apply(t.Context(), nil, want, "place")
		must(t, "apply", err)
		for _, limit := range []int{len(want) - 1, len(want) / 2, 0} {
			got, err := b.Invert(t.Context(), nil, sealed, "place", limit)
			if err == nil || len(got) > limit {
				t.Errorf("sample %d of %d bytes under limit %d: %d bytes, %v", i, len(want), limit, len(got), err)
			}
		}
	}
}

func bytesConcurrent(t *testing.T, b stage.ByteTransform) {
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 20 {
				want := append(random(uint64(w), 5000*i), make([]byte, 10_000)...)
				place := fmt.Sprintf("%d-%d", w, i)
				sealed, err := b.Apply(t.Context(), nil, want, place)
				if err != nil {
					t.Errorf("apply: %v", err)
					continue
				}
				if got, err := b.Invert(t.Context(), nil, sealed, place, len(want)); err != nil || !bytes.Equal(got, want) {
					t.Errorf("content does not come back beside others: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

// bytesGarbage inverts damaged bytes: none may panic or pass the limit, and
// where all is authenticated none may pass at all.
func bytesGarbage(t *testing.T, b stage.ByteTransform, authenticated bool) {
	const limit = 1 << 20
	invert := func(what string, sealed []byte) {
		got, err := b.Invert(t.Context(), nil, sealed, "place", limit)
		if len(got) > limit {
			t.Errorf("%s: %d bytes pass the limit", what, len(got))
		}
		if authenticated && err == nil {
			t.Errorf("%s is taken for whole", what)
		}
	}
	for n := range 40 {
		invert(fmt.Sprintf("%d random bytes", n*n), random(uint64(n), n*n))
	}
	for _, content := range [][]byte{[]byte("x"), bytes.Repeat([]byte("content "), 500), random(1, 3000)} {
		sealed, err := b.Apply(t.Context(), nil, content, "place")
		must(t, "apply", err)
		for i := range sealed {
			invert(fmt.Sprintf("a bit flipped in byte %d", i), flip(sealed, i))
		}
		for n := 0; n < len(sealed); n += 1 + n/7 {
			invert(fmt.Sprintf("the first %d of %d bytes", n, len(sealed)), sealed[:n])
		}
		invert("a byte too many", append(bytes.Clone(sealed), 0))
	}
}

func bytesPlace(t *testing.T, b stage.ByteTransform) {
	sealed, err := b.Apply(t.Context(), nil, []byte("content"), "data/1")
	must(t, "apply", err)
	for _, place := range []string{"data/2", "", "data/1 ", "data/", "snapshot/1"} {
		if _, err := b.Invert(context.WithoutCancel(t.Context()), nil, sealed, place, 100); err == nil {
			t.Errorf("what was sealed for data/1 opens at %q", place)
		}
	}
}
