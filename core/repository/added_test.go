package repository_test

import (
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// A repository stores a table as transforms have changed it: with its own sequence and the
// number of added rows, not with what the source had.
func TestSnapshotHoldsTablesAsTransformed(t *testing.T) {
	m := newMemory()
	sink := repository.NewSink(m, repository.SinkConfig{Transforms: seals(t, ""), Create: true})
	s := small("nightly", "", "")
	plan := s.plan()
	if err := sink.Begin(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if err := units(t.Context(), s, sink); err != nil {
		t.Fatal(err)
	}
	o := &stage.Outcome{Added: map[string]int64{}, Dropped: map[string]int64{}}
	for _, info := range plan.Tables {
		source := info.Schema // as the source had it, before a transform added rows
		source.Sequence = &schema.Sequence{Column: "id", Next: 2}
		o.Tables = append(o.Tables, stage.TableProof{Schema: source})
		o.Added[info.Schema.Name], o.Dropped[info.Schema.Name] = 3, 1
	}
	if err := sink.Finish(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if _, err := sink.Prove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sink.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	snap, err := repository.NewCatalog(open(t, m, ""), manifest.SigningKey{}).Describe(t.Context(), stage.Choice{})
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range snap.Tables {
		if table.Schema.Sequence.Next != 7 || table.Added != 3 || table.Dropped != 1 {
			t.Errorf("table %s is stored with the sequence at %d, %d rows added, %d dropped", table.Schema.Name, table.Schema.Sequence.Next, table.Added, table.Dropped)
		}
	}
}

// A snapshot and its copies hold secret facts for a restore, and their catalogs don't show
// them.
func TestSecretFactsAreRestoredAndNotShown(t *testing.T) {
	from, to := newMemory(), newMemory()
	s := small("nightly", "", "")
	s.facts = map[string]string{stage.SecretFacts + "overrides": "CANARY", "charset": "UTF-8"}
	mustBackup(t, s, from, "first")
	mustCopy(t, from, "first", asPipeline(t, to, "second"), repository.CopyRequest{})
	for passphrase, storage := range map[string]stage.Storage{"first": from, "second": to} {
		source := repository.NewSource(storage, theLatest, chain(t, passphrase))
		inv, err := source.Plan(t.Context(), stage.PlanRequest{})
		if err != nil || inv.Facts["secret_overrides"] != "CANARY" {
			t.Errorf("restored: %v, %v", inv, err)
		}
		catalog := repository.NewCatalog(open(t, storage, passphrase), manifest.SigningKey{})
		snap, err := catalog.Describe(t.Context(), stage.Choice{})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := catalog.Manifest(t.Context(), snap.ID)
		if err != nil || strings.Contains(string(raw), "CANARY") || strings.Contains(string(raw), "secret_") || !strings.Contains(string(raw), `"charset":"UTF-8"`) {
			t.Errorf("the manifest shows %s, %v", raw, err)
		}
		if _, shown := snap.Facts["secret_overrides"]; shown || snap.Facts["charset"] != "UTF-8" {
			t.Errorf("the snapshot shows %v", snap.Facts)
		}
	}
}
