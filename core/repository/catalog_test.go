package repository_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/transforms/encrypt"
)

func TestCatalogContract(t *testing.T) {
	conformance.Catalog(t, func(t testing.TB) stage.Catalog {
		dir := filepath.Join(t.TempDir(), "repository")
		for round := range 3 {
			mustBackup(t, roundSite(round), storageAt(t, dir), "secret")
		}
		return repository.NewCatalog(open(t, storageAt(t, dir), "secret"), manifest.SigningKey{})
	})
}

// Verifying the snapshots of a pipeline reports those that can't be read, because they may
// belong to it.
func TestVerifyPipelineReportsOtherKeys(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory()
	own := mustBackup(t, small("nightly", "s1", "School"), m, "secret")
	closed, err := backup(t.Context(), small("nightly", "s1", "School"), m,
		append(seals(t, "")[:1], encrypted(t, encrypt.Config{Recipients: []string{id.Recipient().String()}})...))
	if err != nil {
		t.Fatal(err)
	}
	c := repository.NewCatalog(reading(t, m, config.NewSecret("secret"), config.Secret{}), manifest.SigningKey{})
	for _, want := range []stage.Choice{{Pipeline: "nightly"}, {Site: "s1"}, {Site: "School", Pipeline: "nightly"}} {
		v, err := c.Verify(t.Context(), stage.VerifyRequest{Want: want})
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Damage) != 1 || v.Damage[0].Object != closed.Where || !strings.Contains(v.Damage[0].Problem, "can't be verified") || !slices.Equal(v.Damage[0].Snapshots, []string{closed.Snapshot}) {
			t.Errorf("%v: got damage %+v", want, v.Damage)
		}
		if len(v.Checked) != 1 || v.Checked[0].ID != own.Snapshot || len(v.Unreadable) != 1 || v.Unreadable[0].ID != closed.Snapshot {
			t.Errorf("%v: checked %+v, unreadable %+v", want, v.Checked, v.Unreadable)
		}
	}
	if v, err := c.Verify(t.Context(), stage.VerifyRequest{Want: stage.Choice{Snapshot: own.Snapshot}}); err != nil || len(v.Damage) > 0 {
		t.Errorf("verify of one snapshot: %+v, %v", v, err)
	}
}

// reading opens a repository with a passphrase, an identity or both, as the commands do.
func reading(t testing.TB, storage stage.Storage, passphrase, identity config.Secret) *repository.Repository {
	t.Helper()
	r, err := repository.Open(t.Context(), storage, readChain(t, passphrase, identity))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func readChain(t testing.TB, passphrase, identity config.Secret) repository.Chain {
	plain := chain(t, "")
	return repository.Chain{Secret: true, Transform: func(ctx context.Context, name string) (stage.ByteTransform, error) {
		if name != "encrypt" {
			return plain.Transform(ctx, name)
		}
		c := &encrypt.Config{}
		c.SetKeys(passphrase, identity)
		return makeBytes(t, encrypt.Stage(), c), nil
	}}
}

func TestDescribePartialSnapshot(t *testing.T) {
	m := newMemory()
	s := small("nightly", "", "")
	s.facts = map[string]string{stage.SelectionFact: `{"exclude_tables":["log"]}`}
	mustBackup(t, s, m, "") // it also lacks a file, like all backups of these tests
	snap, err := repository.NewCatalog(open(t, m, ""), manifest.SigningKey{}).Describe(t.Context(), stage.Choice{})
	if err != nil {
		t.Fatal(err)
	}
	if !snap.Selected() || !snap.Partial() || snap.Lacks[stage.LossMissing] != 1 || snap.Parts[stage.Dataroot].Files != 1 {
		t.Errorf("got %+v", snap)
	}
}
