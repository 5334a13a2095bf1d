package repository_test

import (
	"context"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/transforms/encrypt"
)

// chainOf returns a function that makes the transform encrypt, regardless of the name.
func chainOf(t *testing.T, c *encrypt.Config) func(context.Context, string) (stage.ByteTransform, error) {
	return func(context.Context, string) (stage.ByteTransform, error) {
		return makeBytes(t, encrypt.Stage(), c), nil
	}
}

// encrypted returns the transforms of a pipeline that only encrypts.
func encrypted(t *testing.T, c encrypt.Config) []keyring.Transform {
	c.WorkFactor = 4
	return []keyring.Transform{{Name: "encrypt", Bytes: makeBytes(t, encrypt.Stage(), &c)}}
}

func readsLatest(t *testing.T, m *memory, passphrase, identity config.Secret) error {
	t.Helper()
	c := &encrypt.Config{}
	c.SetKeys(passphrase, identity)
	src := repository.NewSource(m, theLatest, repository.Chain{Secret: true, Transform: chainOf(t, c)})
	_, err := src.Plan(t.Context(), stage.PlanRequest{})
	return err
}

// told runs a backup and returns the notes of its Check.
func told(t *testing.T, m *memory, c encrypt.Config) string {
	t.Helper()
	found, err := repository.NewSink(m, repository.SinkConfig{Transforms: encrypted(t, c), Create: true}).Check(t.Context(), sampleSite().plan())
	notes := found.Notes
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup(t.Context(), &site{files: map[string][]byte{"dataroot/a": []byte("a")}}, m, encrypted(t, c)); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, n := range notes {
		if strings.Contains(n.Text, "create: true") {
			continue // TestSinkNotesNewRepository
		}
		text.WriteString(n.Text)
	}
	return text.String()
}

// The readers are those in the pipeline. If they change, the next backup creates a new key
// and reports it, once.
func TestChangedReadersGetNewKey(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	to, identity, p := []string{id.Recipient().String()}, config.NewSecret(id.String()), config.NewSecret("pass")
	m := newMemory()
	for _, step := range []struct {
		c        encrypt.Config
		keys     int
		note     string
		identity bool // the identity opens the newest
	}{
		{encrypt.Config{Passphrase: p}, 1, "", false},
		{encrypt.Config{Passphrase: p, Recipients: to}, 2, "asks for, which is the identity of one of 1 recipients or a passphrase", true},
		{encrypt.Config{Passphrase: p, Recipients: to}, 2, "", true},
		{encrypt.Config{Passphrase: p}, 2, "", false}, // the first key again
	} {
		note := told(t, m, step.c)
		if (note == "") != (step.note == "") || !strings.Contains(note, step.note) {
			t.Errorf("with %d recipients: note %q", len(step.c.Recipients), note)
		}
		if keys := m.names("keys/"); len(keys) != step.keys {
			t.Errorf("%d keys, want %d", len(keys), step.keys)
		}
		if err := readsLatest(t, m, p, config.Secret{}); err != nil {
			t.Errorf("by passphrase: %v", err)
		}
		if err := readsLatest(t, m, config.Secret{}, identity); (err == nil) != step.identity {
			t.Errorf("by identity: %v", err)
		}
	}
}

// The advice in the note for recipients without a secret works.
func TestAdviceForRecipientsOnly(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	alone := encrypt.Config{Recipients: []string{id.Recipient().String()}}
	for name, more := range map[string]encrypt.Config{
		"identity":        {Recipients: alone.Recipients, Identity: config.NewSecret(id.String())},
		"passphrase":      {Recipients: alone.Recipients, Passphrase: config.NewSecret("pass")},
		"passphrase only": {Passphrase: config.NewSecret("pass")},
	} {
		m := newMemory()
		told(t, m, alone)
		if note := told(t, m, more); !strings.Contains(note, "stored again under a new key") {
			t.Errorf("%s: note %q", name, note)
		}
		if note := told(t, m, more); note != "" || len(m.names("keys/")) != 2 {
			t.Errorf("%s: second backup: %d keys, note %q", name, len(m.names("keys/")), note)
		}
	}
}
