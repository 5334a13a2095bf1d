package filetree_test

import (
	"context"
	"crypto/sha1"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	sinkfiles "github.com/lmsvault/vault/sinks/files"
	sourcefiles "github.com/lmsvault/vault/sources/files"
)

const benchWorkers = 4

// load is the data of a benchmark: a number of files of a size.
type load struct{ files, size int }

var (
	usual = load{5000, 100_000}
	tiny  = load{100_000, 200}
)

// nowhere is a FileWriter that discards everything.
type nowhere struct{}

func (nowhere) Open(context.Context, stage.Entry) error   { return nil }
func (nowhere) Write(context.Context, []byte) error       { return nil }
func (nowhere) Close(context.Context, stage.Digest) error { return nil }
func (nowhere) Same(context.Context, stage.Entry) error   { return nil }
func (nowhere) Drop(context.Context) error                { return nil }
func (nowhere) Loss(_ context.Context, l stage.Loss) error {
	return fmt.Errorf("lost: %+v", l)
}

func (l load) pool(b *testing.B) stage.Source {
	dir := b.TempDir()
	data := make([]byte, l.size)
	r := rand.New(rand.NewPCG(1, 1))
	for range l.files {
		for i := range 100 {
			data[i] = byte(r.Uint32())
		}
		path := filepath.Join(dir, moodle.ContentPath(fmt.Sprintf("%x", sha1.Sum(data))))
		must(b, os.MkdirAll(filepath.Dir(path), 0o755))
		must(b, os.WriteFile(path, data, 0o644))
	}
	s, err := sourcefiles.Stage().NewSource(b.Context(), &sourcefiles.Config{Dir: dir}, stage.Env{})
	must(b, err)
	b.Cleanup(func() { must(b, s.Close(context.Background())) })
	return s
}

// carry reads all units with several workers and writes them.
func carry(b *testing.B, s stage.Source, writer func(stage.Unit) (stage.FileWriter, func() error)) {
	inv, err := s.Plan(b.Context(), stage.PlanRequest{})
	must(b, err)
	var group errgroup.Group
	group.SetLimit(benchWorkers)
	for _, u := range inv.Units {
		group.Go(func() error {
			w, commit := writer(u)
			if err := s.(stage.FileSource).ReadFiles(b.Context(), stage.ReadRequest{Unit: u}, w); err != nil {
				return err
			}
			return commit()
		})
	}
	must(b, group.Wait())
}

func (l load) rate(b *testing.B) {
	b.SetBytes(int64(l.files) * int64(l.size))
	b.ReportMetric(float64(l.files*b.N)/b.Elapsed().Seconds(), "files/s")
}

func BenchmarkRead(b *testing.B) {
	s := usual.pool(b)
	for b.Loop() {
		carry(b, s, func(stage.Unit) (stage.FileWriter, func() error) { return nowhere{}, func() error { return nil } })
	}
	usual.rate(b)
}

// BenchmarkCopy reads from the page cache and writes to TMPDIR.
func BenchmarkCopy(b *testing.B) { usual.copy(b) }

// BenchmarkCopyTiny measures the cost per file, independent of content.
func BenchmarkCopyTiny(b *testing.B) { tiny.copy(b) }

func (l load) copy(b *testing.B) {
	s := l.pool(b)
	n := 0
	top := b.TempDir()
	for b.Loop() {
		n++
		sink, err := sinkfiles.Stage().NewSink(b.Context(), &sinkfiles.Config{Dir: filepath.Join(top, strings.Repeat("x", n))}, stage.Env{TempDir: top})
		must(b, err)
		must(b, sink.Begin(b.Context(), &stage.Plan{}))
		carry(b, s, func(u stage.Unit) (stage.FileWriter, func() error) {
			w, err := sink.(stage.FileSink).WriteFiles(b.Context(), u)
			must(b, err)
			return w, func() error { _, err := w.Commit(b.Context()); return err }
		})
		must(b, sink.Finish(b.Context(), nil))
		must(b, sink.Publish(b.Context()))
		must(b, sink.Close(b.Context()))
	}
	l.rate(b)
}
