package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/lmsvault/vault/core/stage"
	sink "github.com/lmsvault/vault/sinks/sqlite"
	"github.com/lmsvault/vault/sources/sample"
	source "github.com/lmsvault/vault/sources/sqlite"
)

// counter is a UnitWriter that only counts bytes.
type counter struct{ bytes int64 }

func (*counter) Open(context.Context, stage.Entry) error   { return nil }
func (*counter) Close(context.Context, stage.Digest) error { return nil }
func (*counter) Same(context.Context, stage.Entry) error   { return nil }
func (*counter) Drop(context.Context) error                { return nil }
func (*counter) Loss(_ context.Context, l stage.Loss) error {
	return fmt.Errorf("%+v", l)
}
func (c *counter) Write(_ context.Context, k stage.Chunk) error {
	c.bytes += int64(len(k.Data))
	return nil
}

func BenchmarkLoadAndRead(b *testing.B) {
	config := sample.Defaults()
	config.Files, config.DBBytes = false, 32<<20
	path := filepath.Join(b.TempDir(), "site")
	load := func() {
		from, err := sample.New(config, 2)
		if err != nil {
			b.Fatal(err)
		}
		inv, err := from.Plan(b.Context(), stage.PlanRequest{})
		if err != nil {
			b.Fatal(err)
		}
		to := sink.New(sink.Config{Path: path})
		if err := to.Begin(b.Context(), &stage.Plan{Tables: inv.Tables, Replace: stage.ReplaceSwap}); err != nil {
			b.Fatal(err)
		}
		for _, u := range inv.Units {
			w, err := to.WriteRows(b.Context(), u)
			if err != nil {
				b.Fatal(err)
			}
			if err := from.ReadRows(b.Context(), stage.ReadRequest{Unit: u}, w); err != nil {
				b.Fatal(err)
			}
			if _, err := w.Commit(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		if err := to.Finish(b.Context(), &stage.Outcome{}); err != nil {
			b.Fatal(err)
		}
		if err := to.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			load()
			b.SetBytes(int64(config.DBBytes))
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			from := source.New(source.Config{Path: path})
			inv, err := from.Plan(b.Context(), stage.PlanRequest{})
			if err != nil {
				b.Fatal(err)
			}
			var c counter
			for _, u := range inv.Units {
				if err := from.ReadRows(b.Context(), stage.ReadRequest{Unit: u}, &c); err != nil {
					b.Fatal(err)
				}
			}
			if err := from.Close(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(c.bytes)
		}
	})
}
