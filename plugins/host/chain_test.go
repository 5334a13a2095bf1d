package host_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/host"
	"github.com/lmsvault/vault/storages/local"
	"github.com/lmsvault/vault/transforms/compress"
	"github.com/lmsvault/vault/transforms/encrypt"
)

// together is compress, encrypt and a local storage in one process, and the
// first two once more in this one.
type trio struct {
	compress, encrypt stage.ByteTransform
	storage           stage.Storage
	unsealed          func(t testing.TB, sealed []byte, place string, size int) []byte
}

func newTrio(t testing.TB, h *host.Host, groups ...string) trio {
	program := func(i int) host.Program {
		p := self(t)
		p.Group = groups[i%len(groups)]
		return p
	}
	ctx := context.WithoutCancel(t.Context())
	compression := &compress.Config{}
	if err := config.Defaults(compression); err != nil {
		t.Fatal(err)
	}
	encryption := &encrypt.Config{Passphrase: config.NewSecret("correct horse"), WorkFactor: 10}
	var out trio
	var here [2]stage.ByteTransform
	var err error
	made := func(s any, e error) {
		if e != nil {
			t.Fatal(e)
		}
	}
	out.compress, err = h.Isolate(compress.Stage(), program(0)).NewBytes(ctx, compression, stage.Env{})
	made(out.compress, err)
	out.encrypt, err = h.Isolate(encrypt.Stage(), program(1)).NewBytes(ctx, encryption, stage.Env{})
	made(out.encrypt, err)
	out.storage, err = h.Isolate(local.Stage(), program(2)).NewStorage(ctx, &local.Config{Dir: t.TempDir()}, stage.Env{})
	made(out.storage, err)
	here[0], err = compress.Stage().NewBytes(ctx, compression, stage.Env{})
	made(here[0], err)
	here[1], err = encrypt.Stage().NewBytes(ctx, encryption, stage.Env{})
	made(here[1], err)
	header, err := out.encrypt.(stage.Keyed).Create(ctx)
	made(header, err)
	made(nil, here[1].(stage.Keyed).Open(ctx, header))
	out.unsealed = func(t testing.TB, sealed []byte, place string, size int) []byte {
		t.Helper()
		compressed, err := here[1].Invert(ctx, nil, sealed, place, 2*size+1<<20)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := here[0].Invert(ctx, nil, compressed, place, size)
		if err != nil {
			t.Fatal(err)
		}
		return plain
	}
	return out
}

func noise(seed byte, n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	for i := range b {
		b[i] &= 0x0f // compresses to a half
	}
	return b
}

func TestTransformsOfOneProcessAreOneCall(t *testing.T) {
	three := newTrio(t, newHost(t), "one")
	chain := stage.Fuse([]stage.ByteTransform{three.compress, three.encrypt})
	if len(chain) != 1 {
		t.Fatalf("%d calls in place of one", len(chain))
	}
	for _, size := range []int{0, 1, 511 << 10, 512 << 10, 1<<20 + 1, 9 << 20} {
		want := noise(1, size)
		sealed, err := chain[0].Apply(t.Context(), []byte("before"), want, "place")
		if err != nil {
			t.Fatal(err)
		}
		sealed, ok := bytes.CutPrefix(sealed, []byte("before"))
		if !ok || !bytes.Equal(three.unsealed(t, sealed, "place", size), want) {
			t.Errorf("%d bytes are not what one after the other makes of them", size)
		}
		back, err := chain[0].Invert(t.Context(), []byte("before"), sealed, "place", size)
		if err != nil || !bytes.Equal(back, append([]byte("before"), want...)) {
			t.Errorf("%d bytes don't come back: %v", size, err)
		}
		if size > 0 {
			if _, err := chain[0].Invert(t.Context(), nil, sealed, "place", size-1); err == nil {
				t.Errorf("%d bytes pass a limit of one less", size)
			}
		}
	}
}

func TestTransformsOfDifferentProcessesStayApart(t *testing.T) {
	three := newTrio(t, newHost(t), "one", "two", "three")
	if chain := stage.Fuse([]stage.ByteTransform{three.compress, three.encrypt}); len(chain) != 2 {
		t.Fatalf("transforms of two processes are %d calls", len(chain))
	}
	if _, ok := three.storage.(stage.Assembler).Holder(three.encrypt); ok {
		t.Error("a storage holds what another process makes")
	}
}

func TestWhatIsHeldIsPutAsPartOfAnObject(t *testing.T) {
	three := newTrio(t, newHost(t), "one")
	chain := stage.Fuse([]stage.ByteTransform{three.compress, three.encrypt})
	storage := three.storage.(stage.Assembler)
	holder, ok := storage.Holder(chain[0])
	if !ok {
		t.Fatal("the storage can't hold what its own process makes")
	}
	var pieces []stage.Piece
	sizes := []int{3 << 20, 0, 10, 700 << 10}
	for i, size := range sizes {
		p, err := holder.Hold(t.Context(), noise(byte(i), size), "place")
		if err != nil {
			t.Fatal(err)
		}
		pieces = append(pieces, p, stage.Piece{Data: []byte("between")})
	}
	if err := storage.Assemble(t.Context(), "packs/one", pieces); err != nil {
		t.Fatal(err)
	}
	object, err := storage.Get(t.Context(), nil, "packs/one", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	for i, size := range sizes {
		held := pieces[2*i].Len()
		if !bytes.Equal(three.unsealed(t, object[:held], "place", size), noise(byte(i), size)) {
			t.Errorf("piece %d is not what was held", i)
		}
		if object, ok = bytes.CutPrefix(object[held:], []byte("between")); !ok {
			t.Fatalf("what follows piece %d is not there", i)
		}
	}
	if len(object) > 0 {
		t.Errorf("%d bytes too many", len(object))
	}
	if err := storage.Assemble(t.Context(), "packs/two", pieces[:1]); err == nil {
		t.Error("what was put once is still held")
	}
	if _, err := storage.Stat(t.Context(), "packs/two"); err == nil {
		t.Error("an object is there that could not be put together")
	}
}

// The next process counts its tickets anew: what the one before held is gone, and
// nothing else may stand in its place.
func TestWhatAnotherProcessHeldIsGone(t *testing.T) {
	h := newHost(t)
	three := newTrio(t, h, "one")
	storage := three.storage.(stage.Assembler)
	holder, ok := storage.Holder(stage.Fuse([]stage.ByteTransform{three.compress, three.encrypt})[0])
	if !ok {
		t.Fatal("the storage can't hold what its own process makes")
	}
	old, err := holder.Hold(t.Context(), noise(1, 1<<20), "place")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Hold(t.Context(), noise(2, 1<<20), "place"); err != nil {
		t.Fatal(err)
	}
	if err := storage.Assemble(t.Context(), "packs/one", []stage.Piece{old}); err == nil || !strings.Contains(err.Error(), "went with its process") {
		t.Errorf("an object is put together of what a process held that is gone: %v", err)
	}
	if _, err := storage.Stat(t.Context(), "packs/one"); !errors.Is(err, stage.ErrNotExist) {
		t.Errorf("the object is there: %v", err)
	}
}
