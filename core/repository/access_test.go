package repository_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/transforms/encrypt"
)

// admits returns a function that makes the transform for new readers.
func admits(t testing.TB, passphrase string, recipients ...string) func(context.Context, string) (stage.ByteTransform, error) {
	c := &encrypt.Config{WorkFactor: 4}
	c.SetReaders(recipients, config.NewSecret(passphrase))
	return func(context.Context, string) (stage.ByteTransform, error) {
		return makeBytes(t, encrypt.Stage(), c), nil
	}
}

func byPassphrase(t testing.TB, s stage.Storage, passphrase string) *repository.Repository {
	t.Helper()
	return reading(t, s, config.NewSecret(passphrase), config.Secret{})
}

func doesNotOpen(t testing.TB, s stage.Storage, passphrase string) {
	t.Helper()
	if _, err := repository.Open(t.Context(), s, readChain(t, config.NewSecret(passphrase), config.Secret{})); failure.Of(err) != failure.Refused || !errors.Is(err, stage.ErrKey) {
		t.Errorf("Open with passphrase %q: %v, want stage.ErrKey", passphrase, err)
	}
}

// accessIDs returns the IDs of a repository's accesses, oldest first.
func accessIDs(t testing.TB, r *repository.Repository) (ids []string) {
	t.Helper()
	list, notes, err := r.Accesses(t.Context())
	if err != nil || len(notes) > 0 {
		t.Fatal(err, notes)
	}
	for _, a := range list {
		ids = append(ids, a.ID)
	}
	return ids
}

// A second passphrase opens existing snapshots. The first opens nothing once it is removed.
// No content is stored again.
func TestReplacePassphrase(t *testing.T) {
	m, s := newMemory(), sampleSite()
	mustBackup(t, s, m, "first")
	if _, err := backup(t.Context(), s, m, seals(t, "first")[1:]); err != nil { // under another key
		t.Fatal(err)
	}
	packs := m.names("packs/")
	first := accessIDs(t, byPassphrase(t, m, "first"))
	added, err := byPassphrase(t, m, "first").AddAccess(t.Context(), admits(t, "second"))
	if err != nil || len(added.Keys) != 2 || len(added.Notes) > 0 {
		t.Fatalf("%+v, %v", added, err)
	}
	for _, pass := range []string{"first", "second"} {
		r := byPassphrase(t, m, pass)
		if list, err := r.Snapshots(t.Context()); err != nil || len(list) != 2 || list[0].Err != nil || list[1].Err != nil {
			t.Errorf("passphrase %q: %+v, %v", pass, list, err)
		}
		list, _, err := r.Accesses(t.Context())
		if err != nil || len(list) != 3 || list[2].Readers != "a passphrase" || list[2].Used != (pass == "second") || len(list[2].Keys) != 2 {
			t.Errorf("passphrase %q: %+v, %v", pass, list, err)
		}
	}
	if _, err := byPassphrase(t, m, "first").AddAccess(t.Context(), admits(t, "second")); !errors.Is(err, stage.ErrExist) || failure.Of(err) != failure.Refused {
		t.Errorf("added twice: %v", err)
	}
	if removed, err := byPassphrase(t, m, "second").RemoveAccess(t.Context(), []string{first[0], first[1][:6]}); err != nil || len(removed.Keys) != 2 {
		t.Fatalf("%+v, %v", removed, err)
	}
	doesNotOpen(t, m, "first")
	restore(t, m, "latest", "second").sameAs(t, s)
	findings(t, m, "second", 0)
	if got := m.names("packs/"); strings.Join(got, " ") != strings.Join(packs, " ") {
		t.Errorf("%d packs, want %d as before", len(got), len(packs))
	}
	if sum := mustBackup(t, s, m, "second"); sum.New > 0 || len(m.names("keys/")) != 2 {
		t.Errorf("a backup with the new passphrase stored %d bytes; %d keys exist", sum.New, len(m.names("keys/")))
	}
	if _, err := backup(t.Context(), s, m, seals(t, "first")); failure.Of(err) != failure.Refused || !errors.Is(err, stage.ErrKey) {
		t.Errorf("a backup with the old passphrase: %v", err)
	}
}

func TestRemoveAccessKeepsLastAccess(t *testing.T) {
	m := newMemory()
	mustBackup(t, sampleSite(), m, "first")
	only := accessIDs(t, byPassphrase(t, m, "first"))
	added, err := byPassphrase(t, m, "first").AddAccess(t.Context(), admits(t, "second"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		pass  string
		ids   []string
		class failure.Class
		say   string
	}{
		"all":           {"second", []string{only[0], added.ID}, failure.Refused, "the key has no access"},
		"access in use": {"first", only, failure.Refused, "give one that remains"},
		"unknown":       {"first", []string{"zzz"}, failure.Usage, "vault key list"},
		"empty":         {"first", []string{""}, failure.Usage, "vault key list"},
	} {
		before := len(m.objects)
		_, err := byPassphrase(t, m, c.pass).RemoveAccess(t.Context(), c.ids)
		if failure.Of(err) != c.class || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v", name, err)
		}
		if len(m.objects) != before {
			t.Errorf("%s: %d objects remain of %d", name, len(m.objects), before)
		}
	}
	clear := newMemory()
	mustBackup(t, sampleSite(), clear, "")
	if _, err := open(t, clear, "").AddAccess(t.Context(), admits(t, "second")); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "not encrypted") {
		t.Errorf("not encrypted: %v", err)
	}
	for _, pass := range []string{"first", "second"} {
		restore(t, m, "latest", pass).sameAs(t, sampleSite())
	}
}

// Passphrases can be added in append-only storage. Removing one fails, and the error says
// that it still opens the key.
func TestAccessInAppendOnlyStorage(t *testing.T) {
	m := newMemory()
	mustBackup(t, sampleSite(), m, "first")
	only := accessIDs(t, byPassphrase(t, m, "first"))
	if _, err := byPassphrase(t, appendOnly{m}, "first").AddAccess(t.Context(), admits(t, "second")); err != nil {
		t.Fatal(err)
	}
	_, err := byPassphrase(t, appendOnly{m}, "second").RemoveAccess(t.Context(), only)
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "still opens the key") {
		t.Errorf("%v", err)
	}
	byPassphrase(t, m, "first")
	byPassphrase(t, m, "second")
}

func TestAddRecipients(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	identity := config.NewSecret(id.String())
	m, s := newMemory(), sampleSite()
	mustBackup(t, s, m, "first")
	if _, err := byPassphrase(t, m, "first").AddAccess(t.Context(), admits(t, "", id.Recipient().String())); err != nil {
		t.Fatal(err)
	}
	r := reading(t, m, config.Secret{}, identity)
	if list, _, err := r.Accesses(t.Context()); err != nil || len(list) != 2 || list[1].Readers != "1 recipient" || !list[1].Used {
		t.Errorf("%+v, %v", list, err)
	}
	if found, err := r.Verify(t.Context(), repository.Choice{}, nil); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := byPassphrase(t, m, "first").AddAccess(t.Context(), admits(t, "", id.Recipient().String())); !errors.Is(err, stage.ErrExist) {
		t.Errorf("added twice: %v", err)
	}
	// A mistyped passphrase is still refused. A pipeline with other recipients gets a new key.
	if _, err := backup(t.Context(), s, m, seals(t, "frist")); !errors.Is(err, stage.ErrKey) {
		t.Errorf("mistyped: %v", err)
	}
	more := append(seals(t, "")[:1], encrypted(t, encrypt.Config{Passphrase: config.NewSecret("first"), Recipients: []string{id.Recipient().String()}})...)
	if _, err := byPassphrase(t, m, "first").AddAccess(t.Context(), admits(t, "third")); err != nil {
		t.Fatal(err)
	}
	if _, err := backup(t.Context(), s, m, more); err != nil || len(m.names("keys/")) != 2 {
		t.Errorf("with one recipient more: %v, %d keys", err, len(m.names("keys/")))
	}
}

// Anyone can create a key for a recipient. AddAccess must not add an access to it.
func TestForgedKeyIsNotShared(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory()
	forged := encrypted(t, encrypt.Config{Recipients: []string{id.Recipient().String()}})
	if _, err := backup(t.Context(), small("nightly", "", ""), m, forged); err != nil {
		t.Fatal(err)
	}
	own := encrypted(t, encrypt.Config{Recipients: []string{id.Recipient().String()}, Identity: config.NewSecret(id.String())})
	if _, err := backup(t.Context(), small("nightly", "", ""), m, own); err != nil {
		t.Fatal(err)
	}
	r, err := repository.Open(t.Context(), m, repository.Chain{Secret: true, Transform: func(context.Context, string) (stage.ByteTransform, error) {
		c := &encrypt.Config{}
		c.SetOwner(config.NewSecret(id.String()))
		return makeBytes(t, encrypt.Stage(), c), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	added, err := r.AddAccess(t.Context(), admits(t, "second"))
	if err == nil || added != nil {
		t.Fatalf("%+v", added)
	}
	if !strings.Contains(err.Error(), "created without the identity") && !strings.Contains(err.Error(), "other") {
		t.Errorf("%v", err)
	}
}

// Damaged and stray accesses are reported. The other accesses still open the key.
func TestVerifyReportsDamagedAccess(t *testing.T) {
	m := newMemory()
	mustBackup(t, sampleSite(), m, "first")
	added, err := byPassphrase(t, m, "first").AddAccess(t.Context(), admits(t, "second"))
	if err != nil {
		t.Fatal(err)
	}
	before := m.names("access/")
	for _, name := range before {
		if strings.Contains(string(m.objects[name]), added.ID) {
			m.objects[name] = append([]byte(" "), m.objects[name]...)
		}
	}
	m.objects[filepath.Dir(before[0])+"/stray"] = []byte("x")
	if found, err := byPassphrase(t, m, "first").Verify(t.Context(), repository.Choice{}, nil); err != nil || len(found) != 2 || !strings.HasPrefix(found[0].Object, "access/") {
		t.Errorf("%+v, %v", found, err)
	}
	if _, notes, err := byPassphrase(t, m, "first").Accesses(t.Context()); err != nil || len(notes) != 2 {
		t.Errorf("%+v, %v", notes, err)
	}
}

func TestRenewedKeyIsUsed(t *testing.T) {
	m, s := newMemory(), sampleSite()
	first := mustBackup(t, s, m, "first")
	if _, err := byPassphrase(t, m, "first").AddAccess(t.Context(), admits(t, "second")); err != nil {
		t.Fatal(err)
	}
	if err := repository.RenewKey(t.Context(), m, seals(t, "first")); err != nil {
		t.Fatal(err)
	}
	if sum := mustBackup(t, s, m, "first"); sum.New < first.New {
		t.Errorf("%d bytes were stored under the new key, want at least %d", sum.New, first.New)
	}
	if sum := mustBackup(t, s, m, "first"); sum.New > 0 || len(m.names("keys/")) != 2 {
		t.Errorf("the next backup stored %d bytes; %d keys exist", sum.New, len(m.names("keys/")))
	}
	list, err := byPassphrase(t, m, "second").Snapshots(t.Context())
	if err != nil || len(list) != 3 || list[0].Err != nil || !errors.Is(list[1].Err, stage.ErrKey) || !errors.Is(list[2].Err, stage.ErrKey) {
		t.Errorf("with a passphrase that does not open the new key: %+v, %v", list, err)
	}
	if err := repository.RenewKey(t.Context(), m, seals(t, "wrong")); !errors.Is(err, stage.ErrKey) {
		t.Errorf("a wrong passphrase: %v", err)
	}
	findings(t, m, "first", 0)
}

// killAccess is the environment variable that makes the test binary replace a passphrase,
// OLD:NEW, until it is killed.
const killAccess = "VAULT_TEST_KILL_ACCESS"

func changePassphrase(ctx context.Context, t testing.TB, dir, change string) error {
	old, next, _ := strings.Cut(change, ":")
	with := func(pass string, do func(*repository.Repository) error) error {
		s, err := openLocal(dir)
		if err != nil {
			return err
		}
		r, err := repository.Open(ctx, s, readChain(t, config.NewSecret(pass), config.Secret{}))
		if err != nil {
			return err
		}
		return errors.Join(do(r), r.Close(ctx))
	}
	if err := with(old, func(r *repository.Repository) error {
		_, err := r.AddAccess(ctx, admits(t, next))
		if errors.Is(err, stage.ErrExist) {
			err = nil
		}
		return err
	}); err != nil {
		return err
	}
	return with(next, func(r *repository.Repository) error {
		list, _, err := r.Accesses(ctx)
		if err != nil {
			return err
		}
		for _, a := range list {
			if !a.Used {
				if _, err := r.RemoveAccess(ctx, []string{a.ID}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// If a change of passphrase is killed at any time, the old passphrase, the new one or both
// open the repository, and nothing is damaged.
func TestKillPassphraseChange(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "repository")
	mustBackup(t, roundSite(0), storageAt(t, dir), "pass 0")
	child := func(ctx context.Context, round int) error {
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), killDir+"="+dir, fmt.Sprintf("%s=pass %d:pass %d", killAccess, round, round+1))
		cmd.Stderr = os.Stderr
		return cmd.Run()
	}
	began := time.Now()
	if err := child(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	whole, killed := time.Since(began), 0
	for round := 1; round <= rounds/2; round++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.Int64N(int64(whole))))
		err := child(ctx, round)
		late := ctx.Err() != nil
		cancel()
		if err != nil && !late {
			t.Fatal(err)
		}
		if err != nil {
			killed++
			opens := 0
			for _, pass := range []string{fmt.Sprintf("pass %d", round), fmt.Sprintf("pass %d", round+1)} {
				r, err := repository.Open(t.Context(), storageAt(t, dir), readChain(t, config.NewSecret(pass), config.Secret{}))
				if err != nil {
					continue
				}
				opens++
				if found, err := r.Verify(t.Context(), repository.Choice{}, nil); err != nil || len(found) > 0 {
					t.Errorf("round %d: %+v, %v", round, found, err)
				}
				if err := r.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if opens == 0 {
				t.Fatalf("round %d: no passphrase opens the repository", round)
			}
		}
		if _, err := repository.Open(t.Context(), storageAt(t, dir), readChain(t, config.NewSecret(fmt.Sprintf("pass %d", round)), config.Secret{})); err == nil {
			if err := child(t.Context(), round); err != nil { // resume after the kill
				t.Fatal(err)
			}
		}
		doesNotOpen(t, storageAt(t, dir), fmt.Sprintf("pass %d", round))
	}
	if killed < rounds/8 {
		t.Errorf("only %d processes were killed", killed)
	}
	restore(t, storageAt(t, dir), "latest", fmt.Sprintf("pass %d", rounds/2+1)).sameAs(t, roundSite(0))
}
