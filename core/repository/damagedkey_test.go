package repository_test

import (
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/repository"
)

// A damaged key of old snapshots is reported, and does not prevent backups under another key.
func TestDamagedOldKeyIsNoted(t *testing.T) {
	m, s := newMemory(), sampleSite()
	mustBackup(t, s, m, "secret")
	old := m.names("keys/")[0]
	// A pipeline without compress creates another key with the same passphrase.
	if _, err := backup(t.Context(), s, m, seals(t, "secret")[1:]); err != nil {
		t.Fatal(err)
	}
	m.objects[old] = []byte("{")
	found, err := repository.NewSink(m, repository.SinkConfig{Transforms: seals(t, "secret")[1:]}).Check(t.Context(), s.plan())
	notes := found.Notes
	if err != nil {
		t.Fatal(err)
	}
	told := false
	for _, n := range notes {
		told = told || n.Path == old && strings.Contains(n.Text, "damaged")
	}
	if !told {
		t.Errorf("got notes %v", notes)
	}
	if _, err := backup(t.Context(), s, m, seals(t, "secret")[1:]); err != nil {
		t.Errorf("backup: %v", err)
	}
	if keys := m.names("keys/"); len(keys) != 2 {
		t.Errorf("keys: %v", keys)
	}
	restore(t, m, "latest", "secret").sameAs(t, s)

	for _, key := range m.names("keys/") { // now it is unknown whether the repository is encrypted
		m.objects[key] = []byte("{")
	}
	if _, err := backup(t.Context(), s, m, nil); err == nil || !strings.Contains(err.Error(), "no key of the repository can be read") {
		t.Errorf("without a readable key: %v", err)
	}
}
