package repository_test

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
)

func TestSourceContract(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "repository")
	mustBackup(t, sampleSite(), storageAt(t, dir), "secret")
	conformance.Source(t, conformance.SourceFixture{
		Open: func(t testing.TB) stage.Source {
			return repository.NewSource(storageAt(t, dir), theLatest, chain(t, "secret"))
		},
		Parts: []string{stage.DB, stage.Dataroot}, Fingerprints: true,
	})
}

func TestSinkContract(t *testing.T) {
	s := sampleSite()
	var written []conformance.UnitItems
	for _, u := range s.units() {
		k := &keeper{}
		err := s.readFiles(t.Context(), nil, k)
		if u.Part == stage.DB {
			k.items = []conformance.Item{{Entry: stage.Entry{Path: "db/" + u.Table, Kind: stage.Table}}}
			err = s.readRows(t.Context(), u, rowKeeper{k})
		}
		if err != nil {
			t.Fatal(err)
		}
		written = append(written, conformance.UnitItems{Unit: u, Items: k.items})
	}
	written = append(written, conformance.UnitItems{Unit: stage.Unit{ID: "dataroot/none", Part: stage.Dataroot}})
	conformance.Sink(t, conformance.SinkFixture{
		Plan: s.plan(), Units: written, Resumes: true,
		Place: func(t testing.TB) conformance.Target {
			dir := filepath.Join(t.TempDir(), "repository")
			return conformance.Target{
				Open: func() stage.Sink {
					return repository.NewSink(storageAt(t, dir), repository.SinkConfig{Transforms: seals(t, "secret"), Create: true})
				},
				Untouched: func(t testing.TB) {
					if names, err := filepath.Glob(dir); err != nil || len(names) > 0 {
						t.Errorf("got objects %v, %v", names, err)
					}
				},
				Holds: func(t testing.TB, items []conformance.Item) {
					want := map[string]int{}
					for _, item := range items {
						want[item.Entry.Path]++
					}
					got, losses := conformance.ReadAll(t, repository.NewSource(storageAt(t, dir), theLatest, chain(t, "secret")))
					if len(got) != len(want) || len(losses) > 0 {
						t.Errorf("%d entries, want %d; losses %v", len(got), len(want), losses)
					}
					for _, item := range items {
						have := got[item.Entry.Path]
						if item.Entry.Kind == stage.File && !bytes.Equal(have.Content(), item.Content()) {
							t.Errorf("%q has different content", item.Entry.Path)
						}
					}
					restore(t, storageAt(t, dir), "latest", "secret").sameAs(t, s)
				},
			}
		},
	})
}

// keeper records the entries of a site.
type keeper struct{ items []conformance.Item }

func (k *keeper) Open(_ context.Context, e stage.Entry) error {
	k.items = append(k.items, conformance.Item{Entry: e})
	return nil
}

func (k *keeper) Write(_ context.Context, data []byte) error {
	return rowKeeper{k}.Write(context.Background(), stage.Chunk{Data: data})
}

// rowKeeper records the rows of an item.
type rowKeeper struct{ *keeper }

func (k rowKeeper) Write(_ context.Context, c stage.Chunk) error {
	last := &k.items[len(k.items)-1]
	last.Chunks = append(last.Chunks, stage.Chunk{Data: bytes.Clone(c.Data), Rows: c.Rows})
	return nil
}

func (k *keeper) Close(_ context.Context, d stage.Digest) error {
	k.items[len(k.items)-1].Digest = d
	return nil
}
func (k *keeper) Same(context.Context, stage.Entry) error { return nil }
func (k *keeper) Drop(context.Context) error              { return nil }
func (k *keeper) Loss(context.Context, stage.Loss) error  { return nil }
