package rows

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"
)

func chunks(t *testing.T, rows [][2]string) [][]byte {
	t.Helper()
	var out [][]byte
	b := NewBuilder(func(_ context.Context, data []byte, n int) error {
		if bytes.Count(data, []byte("\n")) != n {
			return fmt.Errorf("chunk of %d rows is announced as %d rows", bytes.Count(data, []byte("\n")), n)
		}
		out = append(out, bytes.Clone(data))
		return nil
	})
	for _, r := range rows {
		b.Buf = append(b.Buf, r[0]+"\t"+r[1]...)
		if err := b.End(t.Context(), []byte(r[0])); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out
}

func table(n int) [][2]string {
	rng := rand.New(rand.NewPCG(7, 7))
	rows := make([][2]string, n)
	for i := range rows {
		rows[i] = [2]string{fmt.Sprint(i * 3), string(bytes.Repeat([]byte{'a' + byte(rng.IntN(26))}, rng.IntN(2000)))}
	}
	return rows
}

// No row is lost between chunks, and chunks stay within their limits.
func TestChunksHoldAllRowsWithinLimits(t *testing.T) {
	rows := table(20_000)
	rows[5000][1] = string(bytes.Repeat([]byte("L"), MaxChunk+5)) // a row beyond the limit gets its own chunk
	var want []byte
	for _, r := range rows {
		want = append(want, r[0]+"\t"+r[1]+"\n"...)
	}
	got := chunks(t, rows)
	if !bytes.Equal(bytes.Join(got, nil), want) {
		t.Fatal("the chunks do not add up to the rows")
	}
	for i, c := range got {
		if len(c) > MaxChunk && bytes.Count(c, []byte("\n")) != 1 {
			t.Errorf("chunk %d of %d bytes has %d rows", i, len(c), bytes.Count(c, []byte("\n")))
		}
		if len(c) < MinChunk && i < len(got)-1 && len(got[i+1]) <= MaxChunk {
			t.Errorf("chunk %d has only %d bytes", i, len(c))
		}
	}
}

// An insert, update or delete changes only the chunks around it.
func TestChunkBordersStayWhenRowChanges(t *testing.T) {
	rows := table(40_000)
	before := map[[32]byte]bool{}
	for _, c := range chunks(t, rows) {
		before[sha256.Sum256(c)] = true
	}
	edits := map[string]func([][2]string) [][2]string{
		"insert": func(r [][2]string) [][2]string {
			return append(r[:20_000:20_000], append([][2]string{{"60001", "new"}}, r[20_000:]...)...)
		},
		"delete": func(r [][2]string) [][2]string { return append(r[:20_000:20_000], r[20_001:]...) },
		"change": func(r [][2]string) [][2]string {
			r = append([][2]string(nil), r...)
			r[20_000][1] = "changed"
			return r
		},
	}
	for name, edit := range edits {
		fresh := 0
		for _, c := range chunks(t, edit(rows)) {
			if !before[sha256.Sum256(c)] {
				fresh++
			}
		}
		if fresh > 3 {
			t.Errorf("%s of one row makes %d new chunks of %d", name, fresh, len(before))
		}
	}
}
