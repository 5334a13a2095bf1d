package host_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/transforms/compress"
)

// identity does nothing, so only the process boundary is measured.
type identity struct{}

func (identity) Apply(_ context.Context, dst, src []byte, _ string) ([]byte, error) {
	return append(dst, src...), nil
}

func (identity) Invert(_ context.Context, dst, src []byte, _ string, _ int) ([]byte, error) {
	return append(dst, src...), nil
}

func noise(seed byte, n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	for i := range b {
		b[i] &= 0x0f // compresses to about half
	}
	return b
}

func BenchmarkBorder(b *testing.B) {
	s, err := newHost(b).Isolate(copies(), self(b)).NewBytes(b.Context(), &compress.Config{Codec: "zstd"}, stage.Env{})
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range []int{64 << 10, 1 << 20, 8 << 20} {
		src := noise(1, size)
		b.Run(fmt.Sprintf("round trip/%dKiB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(size))
			var dst []byte
			for b.Loop() {
				if dst, err = s.Apply(b.Context(), dst[:0], src, "name"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func copies() stage.Stage {
	s := compress.Stage()
	s.Name = "identity"
	s.NewBytes = func(context.Context, any, stage.Env) (stage.ByteTransform, error) { return identity{}, nil }
	return s
}
