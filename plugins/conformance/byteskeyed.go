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

// keyring makes transforms that share one key: that in the header which the first of them
// created.
type keyring struct {
	BytesFixture
	header []byte
}

func (k *keyring) ready(t testing.TB) stage.ByteTransform {
	t.Helper()
	b := k.Open(t)
	keyed, ok := b.(stage.Keyed)
	if !ok {
		return b
	}
	if k.header == nil {
		header, err := keyed.Create(t.Context())
		must(t, "create", err)
		k.header = header
		return b
	}
	if !keyed.CanOpen() {
		t.Fatal("configure the transform with the secret that opens its own header, such as the passphrase or the private key")
	}
	must(t, "open", keyed.Open(t.Context(), k.header))
	return b
}

// keyed returns a check for stage.Keyed transforms.
func (k *keyring) keyed(id, why string, test func(t testing.TB, b stage.ByteTransform)) Check {
	return k.check(id, why, func(t testing.TB, b stage.ByteTransform) {
		if _, ok := b.(stage.Keyed); !ok {
			t.Skip("the transform is not stage.Keyed")
		}
		test(t, b)
	})
}

// garbage inverts damaged bytes. No result may panic or exceed the limit, and a transform
// that authenticates must reject all of them.
func (k *keyring) garbage(t testing.TB, b stage.ByteTransform) {
	_, authenticated := b.(stage.Keyed)
	const limit = 1 << 20
	invert := func(what string, sealed []byte) {
		got, err := b.Invert(t.Context(), nil, sealed, "name", limit)
		if len(got) > limit {
			t.Errorf("%s: %d bytes exceed the limit", what, len(got))
		}
		if authenticated && err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
	for n := range 40 {
		invert(fmt.Sprintf("%d random bytes", n*n), random(uint64(n), n*n))
	}
	for _, content := range [][]byte{[]byte("x"), bytes.Repeat([]byte("content "), 500), random(1, 3000)} {
		sealed, err := b.Apply(t.Context(), nil, content, "name")
		must(t, "apply", err)
		for i := range sealed {
			invert(fmt.Sprintf("a bit flipped in byte %d", i), flip(sealed, i))
		}
		for n := 0; n < len(sealed); n += 1 + n/7 {
			invert(fmt.Sprintf("the first %d of %d bytes", n, len(sealed)), sealed[:n])
		}
		invert("an additional byte", append(bytes.Clone(sealed), 0))
	}
}

func bytesName(t testing.TB, b stage.ByteTransform) {
	sealed, err := b.Apply(t.Context(), nil, []byte("content"), "data/1")
	must(t, "apply", err)
	for _, name := range []string{"data/2", "", "data/1 ", "data/", "snapshot/1"} {
		if _, err := b.Invert(t.Context(), nil, sealed, name, 100); err == nil {
			t.Errorf("a blob sealed as data/1 opens as %q", name)
		}
	}
}

func (k *keyring) secondOpening(t testing.TB, b stage.ByteTransform) {
	sealed, err := b.Apply(t.Context(), nil, []byte("content"), "name")
	must(t, "apply", err)
	got, err := k.ready(t).Invert(t.Context(), nil, sealed, "name", 7)
	if err != nil || string(got) != "content" {
		t.Errorf("another transform with the same header returns %q, %v", got, err)
	}
}

func (k *keyring) wrongKey(t testing.TB, _ stage.ByteTransform) {
	stranger, ok := k.Stranger(t).(stage.Keyed)
	if !ok {
		t.Fatal("the stranger is not stage.Keyed")
	}
	if err := stranger.Open(t.Context(), k.header); !errors.Is(err, stage.ErrKey) {
		t.Errorf("opening a header with the wrong key: %v, want ErrKey", err)
	}
}

// nextHeader opens a stranger's header before its own.
func (k *keyring) nextHeader(t testing.TB, b stage.ByteTransform) {
	sealed, err := b.Apply(t.Context(), nil, []byte("content"), "name")
	must(t, "apply", err)
	stranger, ok := k.Stranger(t).(stage.Keyed)
	if !ok {
		t.Fatal("the stranger is not keyed")
	}
	foreign, err := stranger.Create(t.Context())
	if err != nil {
		t.Skipf("the stranger can make no key: %v", err)
	}
	keyed, ok := k.Open(t).(stage.Keyed)
	if !ok {
		t.Fatal("the transform is keyed no longer")
	}
	if err := keyed.Open(t.Context(), foreign); !errors.Is(err, stage.ErrKey) && !errors.Is(err, stage.ErrOtherKey) {
		t.Errorf("a stranger's header: %v, want ErrKey or ErrOtherKey", err)
	}
	must(t, "open after a stranger's header", keyed.Open(t.Context(), k.header))
	if got, err := keyed.Invert(t.Context(), nil, sealed, "name", 7); err != nil || string(got) != "content" {
		t.Errorf("after a stranger's header was tried it opens to %q, %v", got, err)
	}
}

// share admits a friend to the key.
func (k *keyring) share(t testing.TB, b stage.ByteTransform) {
	sharer, ok := b.(stage.Sharer)
	if !ok {
		t.Skip("the transform is not stage.Sharer: nobody else can be admitted")
	}
	sealed, err := b.Apply(t.Context(), nil, []byte("content"), "name")
	must(t, "apply", err)
	friend, ok := k.Friend(t).(stage.Keyed)
	if !ok {
		t.Fatal("the friend is not keyed")
	}
	header, err := sharer.Share(t.Context(), friend, [][]byte{k.header})
	must(t, "share", err)
	if who, err := sharer.Readers(header); err != nil || who == "" {
		t.Errorf("the header admits %q, %v", who, err)
	}
	must(t, "open by the friend", friend.Open(t.Context(), header))
	if got, err := friend.Invert(t.Context(), nil, sealed, "name", 7); err != nil || string(got) != "content" {
		t.Errorf("for the friend it opens to %q, %v", got, err)
	}
	if _, err := sharer.Share(t.Context(), friend, [][]byte{k.header, header}); !errors.Is(err, stage.ErrExist) {
		t.Errorf("the friend is admitted twice: %v, want ErrExist", err)
	}
	k.secondOpening(t, b)
}

func (k *keyring) damagedHeader(t testing.TB, _ stage.ByteTransform) {
	for _, bad := range [][]byte{nil, k.header[:len(k.header)/2], flip(k.header, len(k.header)-1), random(1, len(k.header))} {
		keyed, ok := k.Open(t).(stage.Keyed)
		if !ok || keyed.Open(t.Context(), bad) == nil {
			t.Errorf("a damaged header of %d bytes is accepted", len(bad))
		}
	}
}

// crash kills the process while blobs are transformed.
func (k *keyring) crash(t testing.TB, b stage.ByteTransform) {
	want := random(1, k.effort.disturbed())
	start := time.Now()
	sealed, err := b.Apply(t.Context(), nil, want, "name")
	must(t, "apply", err)
	took := time.Since(start)
	for n := range steps {
		if err := during(t, "apply", moment(n, took), k.Process.Kill, func() error {
			again, err := b.Apply(t.Context(), nil, want, "name")
			if err == nil {
				sealed = again
			}
			return err
		}); err != nil {
			t.Logf("a call whose process was killed: %v", err)
		}
		b = k.ready(t)
		got, err := b.Invert(context.WithoutCancel(t.Context()), nil, sealed, "name", len(want))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("a blob sealed before the process was killed does not round-trip: %d of %d bytes (%v)", len(got), len(want), err)
		}
	}
}
