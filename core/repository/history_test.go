package repository_test

import (
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/transforms/encrypt"
)

// Objects with foreign names are reported. They prevent neither a restore of the latest
// snapshot nor the next backup.
func TestStrayNames(t *testing.T) {
	m, s := newMemory(), sampleSite()
	mustBackup(t, s, m, "secret")
	kid := strings.TrimPrefix(m.names("keys/")[0], "keys/")
	strays := []string{"snapshots/zzzz", "snapshots/" + kid + "/zzzz", "snapshots/" + kid + "/.nfs0001", "snapshots/" + kid + "/99991231-235959-1234567g",
		"snapshots/zz/20200101-000000-12345678", "packs/" + kid + "/a", "packs/" + kid + "/zz/zzz", "index/" + kid + "/b", "keys/c"}
	future := "snapshots/" + kid + "/99991231-235959-12345678"
	for _, name := range append(strays, future) {
		m.objects[name] = []byte("junk")
	}
	r := restore(t, m, "latest", "secret")
	r.sameAs(t, s)
	noted := map[string]bool{}
	for _, n := range r.notes {
		noted[n.Path] = true
	}
	if !noted["snapshots/zzzz"] || !noted[future] {
		t.Errorf("got notes %v", r.notes)
	}
	told := map[string]bool{}
	for _, f := range findings(t, m, "secret", len(strays)+1) {
		told[f.Object] = true
	}
	for _, name := range append(strays, future) {
		if !told[name] {
			t.Errorf("verify does not report %s", name)
		}
	}
	changed := s.clone()
	changed.files["dataroot/new"] = []byte("new")
	if sum := mustBackup(t, changed, m, "secret"); !strings.HasPrefix(sum.Snapshot, time.Now().UTC().Format("2006")) {
		t.Errorf("the next snapshot is %s", sum.Snapshot)
	}
	restore(t, m, "latest", "secret").sameAs(t, changed)
}

// If the newest snapshot is damaged, the previous one is not used silently. The error names
// it.
func TestDamagedLatestIsRefused(t *testing.T) {
	m := newMemory()
	first := mustBackup(t, sampleSite(), m, "secret")
	second := mustBackup(t, sampleSite(), m, "secret")
	m.objects[second.Where][40] ^= 1
	if _, err := open(t, m, "secret").Load(t.Context(), theLatest); err == nil || !strings.Contains(err.Error(), first.Snapshot) {
		t.Errorf("Load: %v", err)
	}
	restore(t, m, first.Snapshot, "secret").sameAs(t, sampleSite())
	third := mustBackup(t, sampleSite(), m, "secret")
	if snap, err := open(t, m, "secret").Load(t.Context(), theLatest); err != nil || snap.ID != third.Snapshot {
		t.Errorf("after another backup: %v", err)
	}
}

// A deleted manifest is reported, also if each run has its own key.
func TestVerifyReportsDeletedSnapshot(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	c := &encrypt.Config{}
	c.SetKeys(config.Secret{}, config.NewSecret(id.String()))
	byIdentity := repository.Chain{Secret: true, Transform: chainOf(t, c)}
	for name, use := range map[string]struct {
		write func() []keyring.Transform
		read  repository.Chain
	}{
		"recipients only": {func() []keyring.Transform {
			return encrypted(t, encrypt.Config{Recipients: []string{id.Recipient().String()}})
		}, byIdentity},
		"passphrase": {func() []keyring.Transform { return seals(t, "secret") }, chain(t, "secret")},
	} {
		m := newMemory()
		var made []repository.Summary
		for range 3 {
			sum, err := backup(t.Context(), sampleSite(), m, use.write())
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, sum)
		}
		delete(m.objects, made[1].Where)
		r, err := repository.Open(t.Context(), m, use.read)
		if err != nil {
			t.Fatal(err)
		}
		found, err := r.Verify(t.Context(), repository.Choice{}, nil)
		told := false
		for _, f := range found {
			told = told || f.Object == made[1].Where && strings.Contains(f.Problem, made[2].Snapshot)
		}
		if !told || err != nil {
			t.Errorf("%s: found %+v, %v", name, found, err)
		}
	}
}

// Sink.Previous returns the contents of each part in the newest snapshot of the pipeline.
func TestPreviousReturnsParts(t *testing.T) {
	m, s := newMemory(), sampleSite()
	sum := mustBackup(t, s, m, "secret")
	previous := func(pass, pipeline string) (*stage.Holdings, error) {
		sink := repository.NewSink(m, repository.SinkConfig{Transforms: seals(t, pass)})
		if _, err := sink.Check(t.Context(), s.plan()); err != nil {
			t.Fatal(err)
		}
		p := s.plan()
		p.Pipeline = pipeline
		return sink.Previous(t.Context(), p)
	}
	held, err := previous("secret", s.plan().Pipeline)
	if err != nil || held == nil || held.Snapshot != sum.Snapshot {
		t.Fatalf("%+v, %v", held, err)
	}
	var rows, bytes int64
	for _, units := range s.tables {
		for _, unit := range units {
			rows += int64(len(unit))
		}
	}
	for _, content := range s.files {
		bytes += int64(len(content))
	}
	if db := held.Parts[stage.DB]; db != (stage.Amount{Rows: rows}) {
		t.Errorf("got %+[2]v, want %[1]d rows", rows, db)
	}
	if files := held.Parts[stage.Filedir].Bytes + held.Parts[stage.Dataroot].Bytes; files != bytes {
		t.Errorf("got %+[2]v, want %[1]d bytes", bytes, held.Parts)
	}
	if files := held.Parts[stage.Filedir].Files + held.Parts[stage.Dataroot].Files; files != int64(len(s.files)) {
		t.Errorf("got %+[2]v, want %[1]d files", len(s.files), held.Parts)
	}
	if held, err := previous("secret", "another"); held != nil || err != nil {
		t.Errorf("another pipeline: %+v, %v", held, err)
	}
}
