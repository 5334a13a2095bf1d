package compress

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/isolated"
)

func compressor(t testing.TB, c Config) stage.ByteTransform {
	t.Helper()
	b, err := isolated.Stage(t, Stage()).NewBytes(t.Context(), &c, stage.Env{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// logRows generates rows like those of Moodle's standard log.
func logRows(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b []byte
	for i := 0; len(b) < n; i++ {
		b = fmt.Appendf(b, "%d\t\\\\core\\\\event\\\\course_viewed\tcore\tviewed\tcourse\t\\N\t\\N\tr\t2\t%d\t50\t%d\t%d\t0\t%d\tweb\t10.0.%d.%d\t\\N\n",
			i, r.IntN(90000), r.IntN(4000), r.IntN(30000), 1700000000+i*3, r.IntN(255), r.IntN(255))
	}
	return b[:n]
}

func noise(n int) []byte {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{7})
	for i := 0; i+8 <= n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], rng.Uint64())
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	contents := map[string][]byte{
		"empty": {}, "one byte": {0}, "short text": []byte(strings.Repeat("moodle ", 20)), "rows": logRows(3 << 20),
		"noise": noise(1 << 20), "hex of noise": fmt.Appendf(nil, "%x", noise(1<<19)), "zeros": make([]byte, 8<<20),
	}
	for _, c := range []Config{{Codec: "zstd"}, {Codec: "zstd", Level: 9}, {Codec: "lz4"}, {Codec: "lz4", Level: 6}} {
		b := compressor(t, c)
		for name, plain := range contents {
			out, err := b.Apply(t.Context(), []byte("before"), plain, "p")
			if err != nil {
				t.Fatal(err)
			}
			back, err := b.Invert(t.Context(), []byte("ahead"), out[len("before"):], "p", len(plain))
			if err != nil || !bytes.Equal(back, append([]byte("ahead"), plain...)) {
				t.Errorf("%v: %s does not round-trip (%v)", c, name, err)
			}
			if len(out) > len(plain)+1+len("before") {
				t.Errorf("%v: %s grew from %d to %d bytes", c, name, len(plain), len(out))
			}
		}
	}
}

func TestIncompressibleIsStored(t *testing.T) {
	b := compressor(t, Config{Codec: "zstd"})
	for name, c := range map[string]struct {
		plain []byte
		codec byte
	}{
		"rows":         {logRows(1 << 20), zstdFrame},
		"noise":        {noise(1 << 20), stored},
		"hex of noise": {fmt.Appendf(nil, "%x", noise(1<<19)), zstdFrame},
	} {
		out, err := b.Apply(t.Context(), nil, c.plain, "p")
		if err != nil || out[0] != c.codec {
			t.Errorf("%s: codec %d, want %d (%v)", name, out[0], c.codec, err)
		}
	}
}

// A blob that would exceed its limit is an error and allocates no memory for it.
func TestDecompressionBombs(t *testing.T) {
	for _, c := range []Config{{Codec: "zstd"}, {Codec: "lz4"}} {
		b := compressor(t, c)
		bomb, err := b.Apply(t.Context(), nil, make([]byte, 64<<20), "p")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Invert(t.Context(), nil, bomb, "p", 1000); !errors.Is(err, stage.ErrCorrupt) {
			t.Errorf("%s: a bomb with its true size: %v", c.Codec, err)
		}
		_, n := binary.Uvarint(bomb[1:])
		liar := append(binary.AppendUvarint([]byte{bomb[0]}, 1000), bomb[1+n:]...)
		if _, err := b.Invert(t.Context(), nil, liar, "p", 1000); !errors.Is(err, stage.ErrCorrupt) {
			t.Errorf("%s: a bomb with a false size: %v", c.Codec, err)
		}
	}
}

func TestLevelTooHigh(t *testing.T) {
	if err := (&Config{Codec: "lz4", Level: 12}).Validate(); err == nil {
		t.Error("lz4 with level 12 is accepted")
	}
}

func FuzzInvert(f *testing.F) {
	b, err := newTransform(Config{}, stage.Env{})
	if err != nil {
		f.Fatal(err)
	}
	l, err := newTransform(Config{Codec: "lz4"}, stage.Env{})
	if err != nil {
		f.Fatal(err)
	}
	for _, t := range []*transform{b, l} {
		seed, err := t.Apply(context.Background(), nil, logRows(2000), "p")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		out, err := b.Invert(t.Context(), nil, src, "p", 1<<16)
		if err == nil && len(out) > 1<<16 {
			t.Errorf("%d bytes came out", len(out))
		}
		if err != nil && !errors.Is(err, stage.ErrCorrupt) {
			t.Errorf("error without its class: %v", err)
		}
	})
}

func BenchmarkApply(b *testing.B) {
	for _, c := range []Config{{Codec: "zstd", Level: 1}, {Codec: "zstd", Level: 3}, {Codec: "lz4"}} {
		for name, src := range map[string][]byte{"rows": logRows(1 << 20), "noise": noise(1 << 20)} {
			b.Run(fmt.Sprintf("%s-%d/%s", c.Codec, c.Level, name), func(b *testing.B) {
				t := compressor(b, c)
				var dst []byte
				b.SetBytes(int64(len(src)))
				b.ReportAllocs()
				for b.Loop() {
					var err error
					if dst, err = t.Apply(b.Context(), dst[:0], src, "p"); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(src))/float64(len(dst)), "ratio")
			})
		}
	}
}

// A damaged blob may claim to be empty: lz4's own reader would then write to invalid
// memory and crash the program.
func TestBlobClaimingToBeEmptyIsCorrupt(t *testing.T) {
	for _, codec := range []byte{lz4Block, zstdFrame} {
		c := compressor(t, Config{Codec: "zstd"})
		for _, dst := range [][]byte{nil, {}, []byte("before")} {
			if _, err := c.Invert(t.Context(), dst, append([]byte{codec, 0}, bytes.Repeat([]byte("x\xf0"), 250)...), "name", 1<<20); !errors.Is(err, stage.ErrCorrupt) {
				t.Errorf("codec %d: %v", codec, err)
			}
		}
	}
}
