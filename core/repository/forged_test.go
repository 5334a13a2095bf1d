package repository_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
)

// clearForgery creates an unencrypted repository with the root object of another, like an
// attacker who has write access to the storage but no passphrase.
func clearForgery(t *testing.T, of *memory) *memory {
	t.Helper()
	forged := newMemory()
	forged.objects["repository.json"] = bytes.Clone(of.objects["repository.json"])
	mustBackup(t, &site{files: map[string][]byte{"dataroot/evil": []byte("evil")}}, forged, "")
	return forged
}

func refused(t *testing.T, m *memory, pass, why string) {
	t.Helper()
	_, err := repository.Open(t.Context(), m, chain(t, pass))
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), why) {
		t.Errorf("open with passphrase %q: %v", pass, err)
	}
	src := repository.NewSource(m, theLatest, chain(t, pass))
	if _, err := src.Plan(t.Context(), stage.PlanRequest{}); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), why) {
		t.Errorf("restore with passphrase %q: %v", pass, err)
	}
}

// If a passphrase is given, nothing unencrypted is read. Otherwise an attacker with write
// access to the storage could forge snapshots.
func TestUnencryptedKeyInEncryptedRepositoryIsRefused(t *testing.T) {
	m := newMemory()
	mustBackup(t, sampleSite(), m, "secret")
	whole := m.clone()
	for name, data := range clearForgery(t, m).objects {
		m.objects[name] = data
	}
	refused(t, m, "secret", "are not and were not created by vault")
	refused(t, m, "", "are not and were not created by vault")
	if _, err := backup(t.Context(), sampleSite(), m, seals(t, "secret")); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "are not and were not created by vault") {
		t.Errorf("backup: %v", err)
	}

	// The forged key may also appear after the repository was opened.
	r := open(t, whole, "secret")
	for name, data := range clearForgery(t, whole).objects {
		whole.objects[name] = data
	}
	if snap, err := r.Load(t.Context(), theLatest); err == nil && snap.Totals.Files == 1 {
		t.Errorf("the forged snapshot was read: %+v", snap)
	}
}

func TestUnencryptedRepositoryWithPassphraseIsRefused(t *testing.T) {
	m := newMemory()
	mustBackup(t, sampleSite(), m, "")
	refused(t, m, "secret", "is not encrypted, but a passphrase")
	restore(t, m, "latest", "").sameAs(t, sampleSite())
}
