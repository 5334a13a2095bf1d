package repository_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/transforms/encrypt"
)

func TestBackupAndRestore(t *testing.T) {
	for name, pass := range map[string]string{"encrypted": "secret", "clear": ""} {
		t.Run(name, func(t *testing.T) {
			m, s := newMemory(), sampleSite()
			sum := mustBackup(t, s, m, pass)
			r := restore(t, m, "latest", pass)
			r.sameAs(t, s)
			if len(r.lacks) != 1 || r.lacks[0].Path != "filedir/aa/bb/aabb" || r.lacks[0].Reason != "nobody has it" {
				t.Errorf("losses of the backup: %v", r.lacks)
			}
			restore(t, m, sum.Snapshot[:12], pass).sameAs(t, s)
			findings(t, m, pass, 0)
			if left := m.names("locks/"); len(left) > 0 {
				t.Errorf("locks remain: %v", left)
			}
		})
	}
}

func open(t testing.TB, m stage.Storage, pass string) *repository.Repository {
	t.Helper()
	r, err := repository.Open(t.Context(), m, chain(t, pass))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func findings(t testing.TB, m stage.Storage, pass string, want int) []repository.Finding {
	t.Helper()
	var last, total int64
	r := open(t, m, pass)
	found, err := r.Verify(t.Context(), repository.Choice{}, func(done, all int64) { last, total = done, all })
	if err := errors.Join(err, r.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	if want >= 0 && len(found) != want {
		t.Errorf("%d findings, want %d: %+v", len(found), want, found)
	}
	if want == 0 && (last != total || total == 0) {
		t.Errorf("progress ended at %d of %d", last, total)
	}
	return found
}

// A second backup of an unchanged or slightly changed site stores little, with or without
// fingerprints.
func TestSecondBackupStoresOnlyChanges(t *testing.T) {
	for _, prints := range []bool{true, false} {
		m, s := newMemory(), sampleSite()
		s.prints = prints
		mustBackup(t, s, m, "secret")
		first := m.bytes()
		mustBackup(t, s, m, "secret")
		if grown := m.bytes() - first; grown*100 > first {
			t.Errorf("fingerprints %v: a backup of the unchanged site stored %d bytes, the first one %d", prints, grown, first)
		}
		changed := s.clone()
		changed.files["dataroot/small/new"] = []byte("new")
		changed.files["dataroot/small/07"] = []byte("changed")
		delete(changed.files, "dataroot/small/11")
		changed.tables["empty"] = [][]string{{"1\tnot\tempty\tnow"}}
		before := m.bytes()
		mustBackup(t, changed, m, "secret")
		if grown := m.bytes() - before; grown*20 > first {
			t.Errorf("fingerprints %v: a backup after a small change stored %d bytes, the first one %d", prints, grown, first)
		}
		restore(t, m, "latest", "secret").sameAs(t, changed)
		snaps, err := open(t, m, "secret").Snapshots(t.Context())
		if err != nil || len(snaps) != 3 {
			t.Fatalf("%d snapshots, %v", len(snaps), err)
		}
		restore(t, m, snaps[0].ID, "secret").sameAs(t, s)
		if snaps[2].Snapshot.Previous != snaps[1].ID || snaps[1].Snapshot.Totals.New > 0 && prints {
			t.Errorf("manifests: %+v", snaps[1].Snapshot.Totals)
		}
		findings(t, m, "secret", 0)
	}
}

// Small files share chunks, and each shared chunk is read only once.
func TestSmallFilesShareChunks(t *testing.T) {
	m, s := newMemory(), &site{files: map[string][]byte{}}
	for i := range 5000 {
		s.files[fmt.Sprintf("dataroot/%04d", i)] = noise(byte(i), 500)
	}
	mustBackup(t, s, m, "")
	counter := &gets{memory: m}
	r := restore(t, counter, "latest", "")
	if len(r.files) != 5000 {
		t.Fatalf("%d files", len(r.files))
	}
	if counter.n > 30 {
		t.Errorf("%d reads of the storage for 2.5 MB in 5000 files", counter.n)
	}
}

type gets struct {
	*memory
	n int
}

func (g *gets) Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error) {
	g.n++
	return g.memory.Get(ctx, dst, name, offset, length)
}

// Without the key neither content nor names can be read.
func TestNamesAndContentAreEncrypted(t *testing.T) {
	m := newMemory()
	mustBackup(t, sampleSite(), m, "secret")
	for name, data := range m.objects {
		for _, word := range []string{secretName, "dataroot", "nightly", "some text", "a file with a name", "sequence"} {
			if bytes.Contains(data, []byte(word)) {
				t.Errorf("%s contains %q in plain text", name, word)
			}
			if strings.Contains(name, word) {
				t.Errorf("the name of object %s contains %q", name, word)
			}
		}
	}
}

func TestWrongPassphrase(t *testing.T) {
	m := newMemory()
	mustBackup(t, sampleSite(), m, "right")
	before := m.names("")
	_, err := backup(t.Context(), sampleSite(), m, seals(t, "wrong"))
	if !errors.Is(err, stage.ErrKey) || failure.Of(err) != failure.Refused {
		t.Errorf("backup: %v", err)
	}
	_, err = repository.Open(t.Context(), m, chain(t, "wrong"))
	if !errors.Is(err, stage.ErrKey) || failure.Of(err) != failure.Refused {
		t.Errorf("open: %v", err)
	}
	if after := m.names(""); !slices.Equal(before, after) {
		t.Errorf("objects changed from %v to %v", before, after)
	}
}

func TestEncryptedAndUnencryptedAreNotMixed(t *testing.T) {
	for first, second := range map[string]string{"": "secret", "secret": ""} {
		m := newMemory()
		mustBackup(t, sampleSite(), m, first)
		if _, err := backup(t.Context(), sampleSite(), m, seals(t, second)); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "another repository") {
			t.Errorf("%q, then %q: %v", first, second, err)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	m := newMemory()
	mustBackup(t, sampleSite(), m, "")
	m.objects["repository.json"] = bytes.Replace(m.objects["repository.json"], []byte(`"format":1`), []byte(`"format":7,"new":1`), 1)
	if _, err := repository.Open(t.Context(), m, chain(t, "")); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "format 7") {
		t.Errorf("open: %v", err)
	}
	if _, err := backup(t.Context(), sampleSite(), m, seals(t, "")); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "format 7") {
		t.Errorf("backup: %v", err)
	}
}

func TestNotARepository(t *testing.T) {
	if _, err := repository.Open(t.Context(), newMemory(), chain(t, "")); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "no repository") {
		t.Errorf("empty storage: %v", err)
	}
	m := newMemory()
	m.objects["filedir/aa/bb/aabb"] = nil
	if _, err := repository.Open(t.Context(), m, chain(t, "")); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "filedir/aa/bb/aabb") {
		t.Errorf("storage with a foreign object: %v", err)
	}
	if _, err := backup(t.Context(), sampleSite(), m, seals(t, "")); failure.Of(err) != failure.Refused {
		t.Errorf("backup to a storage with a foreign object: %v", err)
	}
	if len(m.objects) != 1 {
		t.Errorf("something was written: %v", m.names(""))
	}
}

// A writer that has only recipients stores everything again each time, and says so. The
// identity opens all snapshots.
func TestRecipientsOnly(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	writer := func() []keyring.Transform {
		return []keyring.Transform{{Name: "encrypt", Bytes: makeBytes(t, encrypt.Stage(), &encrypt.Config{Recipients: []string{id.Recipient().String()}})}}
	}
	m, s := newMemory(), sampleSite()
	sink := repository.NewSink(m, repository.SinkConfig{Transforms: writer(), Create: true})
	found, err := sink.Check(t.Context(), s.plan())
	notes := found.Notes
	if err != nil || len(notes) != 2 || !strings.Contains(notes[1].Text, "stored again") {
		t.Errorf("notes %v, %v", notes, err)
	}
	for range 2 {
		if _, err := backup(t.Context(), s, m, writer()); err != nil {
			t.Fatal(err)
		}
	}
	if keys := m.names("keys/"); len(keys) != 2 {
		t.Errorf("keys: %v", keys)
	}
	reader := repository.Chain{Secret: true, Transform: func(context.Context, string) (stage.ByteTransform, error) {
		c := &encrypt.Config{}
		c.SetKeys(config.Secret{}, config.NewSecret(id.String()))
		return makeBytes(t, encrypt.Stage(), c), nil
	}}
	repo, err := repository.Open(t.Context(), m, reader)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := repo.Verify(t.Context(), repository.Choice{}, nil); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
	snaps, err := repo.Snapshots(t.Context())
	if err != nil || len(snaps) != 2 || snaps[0].Err != nil || snaps[1].Err != nil {
		t.Errorf("%+v, %v", snaps, err)
	}
}

func TestBrowse(t *testing.T) {
	m, s := newMemory(), sampleSite()
	sum := mustBackup(t, s, m, "secret")
	repo := open(t, m, "secret")
	snap, err := repo.Load(t.Context(), theLatest)
	if err != nil || snap.ID != sum.Snapshot {
		t.Fatalf("latest is %v, %v", snap, err)
	}
	paths := map[string]int{}
	if err := repo.Entries(t.Context(), snap, func(_ *manifest.Unit, it *manifest.Item) error { paths[it.Path]++; return nil }); err != nil {
		t.Fatal(err)
	}
	if paths["db/log"] != 3 || paths["dataroot/large"] != 1 || int64(len(s.files)+2+5) != snap.Totals.Entries {
		t.Errorf("entries %v, totals %+v", paths, snap.Totals)
	}
	var out bytes.Buffer
	if err := repo.Cat(t.Context(), snap, "dataroot/large", &out); err != nil || !bytes.Equal(out.Bytes(), s.files["dataroot/large"]) {
		t.Errorf("cat of a file: %d bytes, %v", out.Len(), err)
	}
	out.Reset()
	if err := repo.Cat(t.Context(), snap, "db/log", &out); err != nil || out.String() != strings.Join(slices.Concat(s.tables["log"]...), "\n")+"\n" {
		t.Errorf("cat of a table: %d bytes, %v", out.Len(), err)
	}
	if err := repo.Cat(t.Context(), snap, "dataroot/nothing", &out); failure.Of(err) != failure.Usage {
		t.Errorf("cat of a missing entry: %v", err)
	}
	if _, err := repo.Load(t.Context(), repository.Choice{Snapshot: "1999"}); failure.Of(err) != failure.Usage || !strings.Contains(err.Error(), snap.ID) {
		t.Errorf("load of a missing snapshot: %v", err)
	}
	broken := errors.New("pipe closed")
	if err := repo.Entries(t.Context(), snap, func(*manifest.Unit, *manifest.Item) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("the caller's error became %v", err)
	}
}

// Check reports what would prevent a backup, and writes nothing.
func TestCheckWritesNothing(t *testing.T) {
	m := newMemory()
	check := func() error {
		_, err := repository.NewSink(m, repository.SinkConfig{Transforms: seals(t, "secret"), Create: true}).Check(t.Context(), &stage.Plan{Bytes: 1 << 30})
		return err
	}
	if err := check(); err != nil {
		t.Error(err)
	}
	m.free = 1 << 20
	if err := check(); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "space") {
		t.Errorf("no space: %v", err)
	}
	m.free, m.denied = 0, errors.New("read-only")
	if err := check(); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("read-only: %v", err)
	}
	m.free, m.denied = -1, nil
	m.objects[fmt.Sprintf("locks/00000000000000000000000000000001-%d", time.Now().Add(time.Minute).UnixMilli())] = []byte(`{"host":"backup7","pid":12}`)
	if err := check(); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "process 12 on backup7") {
		t.Errorf("locked: %v", err)
	}
	if m.puts > 0 {
		t.Errorf("Check stored %d objects", m.puts)
	}
}
