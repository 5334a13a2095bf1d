package host_test

import (
	"bytes"
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/transforms/compress"
)

// Blobs of every size round-trip, including the sizes at message boundaries.
func TestByteTransformRoundTrip(t *testing.T) {
	config := &compress.Config{Codec: "zstd"}
	there, err := newHost(t).Isolate(compress.Stage(), self(t)).NewBytes(t.Context(), config, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	here, err := compress.Stage().NewBytes(t.Context(), config, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	before := []byte("before")
	for _, size := range []int{0, 1, 511 << 10, 512 << 10, 1<<20 + 1, 9 << 20} {
		want := noise(1, size)
		made, err := there.Apply(t.Context(), bytes.Clone(before), want, "name")
		if err != nil {
			t.Fatal(err)
		}
		made, ok := bytes.CutPrefix(made, before)
		if plain, err := here.Invert(t.Context(), nil, made, "name", size); err != nil || !ok || !bytes.Equal(plain, want) {
			t.Errorf("%d bytes differ from the result in this process: %v", size, err)
		}
		back, err := there.Invert(t.Context(), bytes.Clone(before), made, "name", size)
		if err != nil || !bytes.Equal(back, append(bytes.Clone(before), want...)) {
			t.Errorf("%d bytes don't round-trip: %v", size, err)
		}
		if size > 0 {
			if _, err := there.Invert(t.Context(), nil, made, "name", size-1); err == nil {
				t.Errorf("%d bytes are accepted with a limit of one less", size)
			}
		}
	}
}
