package repository_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// hole is a storage that discards packs.
type hole struct{ *memory }

func (h hole) Put(ctx context.Context, name string, data []byte) error {
	if len(name) > 6 && name[:6] == "packs/" {
		return nil
	}
	return h.memory.Put(ctx, name, data)
}

// rowChunk returns 1 MiB of rows like those of Moodle's standard log.
func rowChunk() stage.Chunk {
	var b []byte
	n := 0
	for ; len(b) < 1<<20; n++ {
		b = fmt.Appendf(b, "%08d\t\\\\core\\\\event\\\\course_viewed\tcore\tviewed\tcourse\t\\N\t\\N\tr\t2\t%d\t50\t%d\t%d\t0\t%d\tweb\t10.0.%d.%d\t\\N\n",
			n, n*7919%90000, n*31%4000, n*17%30000, 1700000000+n*3, n%255, n*13%255)
	}
	return stage.Chunk{Data: b, Rows: n}
}

func writer(b *testing.B, pass string) (*repository.Sink, stage.RowUnit) {
	b.Helper()
	sink := repository.NewSink(hole{newMemory()}, repository.SinkConfig{Transforms: seals(b, pass), Create: true})
	if err := sink.Begin(b.Context(), &stage.Plan{Tables: []stage.TableInfo{{Schema: schema.Table{Name: "log"}}}}); err != nil {
		b.Fatal(err)
	}
	w, err := sink.WriteRows(b.Context(), stage.Unit{ID: "db/log", Part: stage.DB, Table: "log"})
	if err != nil {
		b.Fatal(err)
	}
	return sink, w
}

// BenchmarkWrite measures one worker. New chunks are hashed, compressed, sealed and packed; known
// chunks are only hashed.
func BenchmarkWrite(b *testing.B) {
	for name, pass := range map[string]string{"encrypted": "secret", "clear": ""} {
		for _, fresh := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s/new=%v", name, fresh), func(b *testing.B) {
				sink, w := writer(b, pass)
				c := rowChunk()
				b.SetBytes(int64(len(c.Data)))
				b.ReportAllocs()
				for i := uint64(0); b.Loop(); i++ {
					if fresh {
						binary.BigEndian.PutUint32(c.Data, uint32('0')<<24|uint32('A'+i%26)<<16|uint32('A'+i/26%26)<<8|uint32('A'+i/676%26))
					}
					if err := w.Write(b.Context(), c); err != nil {
						b.Fatal(err)
					}
				}
				if err := sink.Abort(b.Context()); err != nil {
					b.Fatal(err)
				}
				if err := sink.Close(b.Context()); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

// BenchmarkSmallFiles measures the entries of small files, and their content in shared chunks.
func BenchmarkSmallFiles(b *testing.B) {
	sink, _ := writer(b, "secret")
	w, err := sink.WriteFiles(b.Context(), stage.Unit{ID: "filedir/00", Part: stage.Filedir})
	if err != nil {
		b.Fatal(err)
	}
	content := bytes.Clone(noise(1, 2000))
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		binary.LittleEndian.PutUint64(content, uint64(i))
		e := stage.Entry{Path: fmt.Sprintf("filedir/%02x/%d", i%256, i), Kind: stage.File, Size: 2000}
		if err := w.Open(b.Context(), e); err != nil {
			b.Fatal(err)
		}
		if err := w.Write(b.Context(), content); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(b.Context(), stage.Digest{Bytes: 2000, SHA1: "00112233445566778899aabbccddeeff00112233"}); err != nil {
			b.Fatal(err)
		}
	}
	if err := sink.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
}

type discard struct{}

func (discard) Open(context.Context, stage.Entry) error   { return nil }
func (discard) Write(context.Context, stage.Chunk) error  { return nil }
func (discard) Close(context.Context, stage.Digest) error { return nil }
func (discard) Same(context.Context, stage.Entry) error   { return nil }
func (discard) Drop(context.Context) error                { return nil }
func (discard) Loss(context.Context, stage.Loss) error    { return nil }

func BenchmarkRead(b *testing.B) {
	m, s := newMemory(), &site{tables: map[string][][]string{}}
	var part []string
	for i := range 300_000 {
		part = append(part, fmt.Sprintf("%d\tuser %d\tsome text that compresses well enough\t\\N", i, i*7))
	}
	s.tables["log"] = [][]string{part}
	if _, err := backup(b.Context(), s, m, seals(b, "secret")); err != nil {
		b.Fatal(err)
	}
	src := repository.NewSource(m, theLatest, chain(b, "secret"))
	inv, err := src.Plan(b.Context(), stage.PlanRequest{})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(inv.Tables[0].Bytes)
	b.ReportAllocs()
	for b.Loop() {
		for _, u := range inv.Units {
			if err := src.ReadRows(b.Context(), stage.ReadRequest{Unit: u}, discard{}); err != nil {
				b.Fatal(err)
			}
		}
	}
}
