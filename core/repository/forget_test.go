package repository_test

import (
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
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/transforms/encrypt"
)

// tiny returns a site with one file, which is fast to back up.
func tiny(content string) *site {
	return &site{files: map[string][]byte{"dataroot/a": []byte(content)}}
}

// ids returns the IDs of all snapshots.
func ids(t testing.TB, m *memory, pass string) []string {
	t.Helper()
	list, err := open(t, m, pass).Snapshots(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, l := range list {
		if l.Err != nil {
			t.Errorf("%s: %v", l.ID, l.Err)
		}
		all = append(all, l.ID)
	}
	return all
}

func forget(t testing.TB, m *memory, pass string, q repository.ForgetRequest) *repository.Forgotten {
	t.Helper()
	f, err := open(t, m, pass).Forget(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if locks := m.names("locks/"); len(locks) > 0 {
		t.Errorf("locks are left: %v", locks)
	}
	return f
}

// A policy applies to each site and pipeline separately. Verify accepts the removals, the
// kept snapshots can be restored, and a deletion without a record is reported.
func TestVerifyDistinguishesForgetFromDeletion(t *testing.T) {
	for _, pass := range []string{"secret", ""} {
		m := newMemory()
		var nightly, weekly []string
		for i := range 4 {
			nightly = append(nightly, mustBackup(t, tiny(fmt.Sprint("night", i)), m, pass).Snapshot)
			w := tiny(fmt.Sprint("week", i))
			w.pipeline = "weekly"
			weekly = append(weekly, mustBackup(t, w, m, pass).Snapshot)
		}
		dry := forget(t, m, pass, repository.ForgetRequest{Policy: repository.Policy{Last: 2}, DryRun: true})
		if len(dry.Remove) != 4 || len(ids(t, m, pass)) != 8 || len(m.names("removals/")) > 0 {
			t.Fatalf("dry run: %d to remove of %d", len(dry.Remove), len(ids(t, m, pass)))
		}
		f := forget(t, m, pass, repository.ForgetRequest{Policy: repository.Policy{Last: 2}})
		want := []string{nightly[2], weekly[2], nightly[3], weekly[3]}
		if got := ids(t, m, pass); !slices.Equal(got, want) || len(f.Remove) != 4 || len(f.Records) != 1 {
			t.Fatalf("snapshots are %q, want %q; %d records", got, want, len(f.Records))
		}
		findings(t, m, pass, 0)
		restore(t, m, nightly[2], pass).hasFile(t, "dataroot/a", "night2")
		records, err := open(t, m, pass).Removals(t.Context())
		if err != nil || len(records) != 1 || records[0].Reason != "keep-last 2" || len(records[0].Snapshots) != 4 || records[0].Snapshots[0].ID != nightly[0] {
			t.Errorf("%v: records %+v", err, records)
		}
		// The record still references earlier snapshots: it and the next snapshot reference nightly[2].
		deleted := m.clone()
		delete(deleted.objects, deleted.names("snapshots/")[0])
		if found := findings(t, deleted, pass, 1); len(found) == 1 && (!strings.Contains(found[0].Problem, "no removal is recorded") || !strings.HasSuffix(found[0].Object, nightly[2])) {
			t.Errorf("found %+v", found)
		}
		// Without the record, a removal is reported.
		for _, change := range []func(name string){
			func(name string) { delete(deleted.objects, name) },
			func(name string) { deleted.objects[name] = []byte(strings.Repeat("x", 300)) },
		} {
			deleted = m.clone()
			change(deleted.names("removals/")[0])
			if found := findings(t, deleted, pass, -1); !slices.ContainsFunc(found, func(f repository.Finding) bool { return strings.HasSuffix(f.Object, weekly[1]) }) {
				t.Errorf("the removal of %s was not reported without the record: %+v", weekly[1], found)
			}
		}
		// A further backup continues the chain.
		mustBackup(t, tiny("later"), m, pass)
		findings(t, m, pass, 0)
	}
}

func (r *restored) hasFile(t testing.TB, path, content string) {
	t.Helper()
	if got := string(r.files[path]); got != content {
		t.Errorf("%s was restored as %q, want %q", path, got, content)
	}
}

// The loss of a snapshot is reported even if the next one was forgotten.
func TestRemovalRecordsPreviousSnapshot(t *testing.T) {
	m := newMemory()
	first := mustBackup(t, tiny("1"), m, "secret")
	second := mustBackup(t, tiny("2"), m, "secret")
	mustBackup(t, tiny("3"), m, "secret")
	forget(t, m, "secret", repository.ForgetRequest{IDs: []string{second.Snapshot}})
	findings(t, m, "secret", 0)
	delete(m.objects, first.Where)
	if found := findings(t, m, "secret", 1); len(found) == 1 && !strings.Contains(found[0].Problem, "the removal of "+second.Snapshot) {
		t.Errorf("found %+v", found)
	}
}

// The last snapshot of a series can only be removed by its ID. An empty policy is refused.
func TestPolicyKeepsLastSnapshot(t *testing.T) {
	m := newMemory()
	last := mustBackup(t, tiny("1"), m, "secret")
	for _, p := range []repository.Policy{{Last: 1}, {Yearly: 1}, {Within: time.Nanosecond}} {
		if f := forget(t, m, "secret", repository.ForgetRequest{Policy: p}); len(f.Remove) != 0 || len(f.Keep) != 1 {
			t.Errorf("%v removed %v", p, f.Remove)
		}
	}
	if _, err := open(t, m, "secret").Forget(t.Context(), repository.ForgetRequest{}); failure.Of(err) != failure.Usage {
		t.Errorf("without a policy: %v", err)
	}
	forget(t, m, "secret", repository.ForgetRequest{IDs: []string{last.Snapshot[:17]}})
	if left := ids(t, m, "secret"); len(left) > 0 {
		t.Errorf("snapshots are %q", left)
	}
}

// The removal of a signed snapshot must be signed by the same key. A record signed by another
// key does not count.
func TestRemovalOfSignedSnapshotsIsSigned(t *testing.T) {
	key, other := signingKey(t), signingKey(t)
	m := newMemory()
	var made []repository.Summary
	for i := range 3 {
		s := tiny(fmt.Sprint(i))
		s.signs = key
		made = append(made, mustBackup(t, s, m, ""))
	}
	trusting := func(m *memory) *repository.Repository {
		c := chain(t, "")
		c.Signers = []manifest.Signer{key.Signer()}
		r, err := repository.Open(t.Context(), m, c)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	q := repository.ForgetRequest{IDs: []string{made[1].Snapshot}}
	for _, wrong := range []manifest.SigningKey{{}, other} {
		q.Key = wrong
		for _, r := range []*repository.Repository{open(t, m, ""), trusting(m)} {
			if _, err := r.Forget(t.Context(), q); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "sign") || len(m.names("removals/")) > 0 {
				t.Fatalf("got %v", err)
			}
		}
	}
	// An attacker with write access to an unencrypted repository can do this.
	forged := m.clone()
	if _, err := repository.ForgeRemoval(t.Context(), open(t, forged, ""), made[1].Snapshot, other); err != nil {
		t.Fatal(err)
	}
	delete(forged.objects, made[1].Where)
	found, err := trusting(forged).Verify(t.Context(), repository.Choice{}, nil)
	if err != nil || !slices.ContainsFunc(found, func(f repository.Finding) bool { return f.Object == made[1].Where }) ||
		!slices.ContainsFunc(found, func(f repository.Finding) bool { return strings.HasPrefix(f.Object, "removals/") }) {
		t.Errorf("%v: found %+v", err, found)
	}
	q.Key = key
	forget(t, m, "", q)
	if found, err := trusting(m).Verify(t.Context(), repository.Choice{}, nil); err != nil || len(found) > 0 {
		t.Errorf("%v: found %+v", err, found)
	}
}

// If each run has its own key, removals are recorded separately for each key.
func TestForgetAcrossKeys(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory()
	for i := range 3 {
		if _, err := backup(t.Context(), tiny(fmt.Sprint(i)), m, encrypted(t, encrypt.Config{Recipients: []string{id.Recipient().String()}})); err != nil {
			t.Fatal(err)
		}
	}
	c := &encrypt.Config{}
	c.SetKeys(config.Secret{}, config.NewSecret(id.String()))
	r, err := repository.Open(t.Context(), m, repository.Chain{Secret: true, Transform: chainOf(t, c)})
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Forget(t.Context(), repository.ForgetRequest{Policy: repository.Policy{Daily: 1}})
	if err != nil || len(f.Records) != 2 || len(m.names("snapshots/")) != 1 {
		t.Fatalf("%v: %+v", err, f)
	}
	if found, err := r.Verify(t.Context(), repository.Choice{}, nil); err != nil || len(found) > 0 {
		t.Errorf("%v: found %+v", err, found)
	}
}

// If any write or deletion fails, no snapshot is removed without a record, and the same
// command can be repeated.
func TestForgetFailsAtEveryStep(t *testing.T) {
	before := newMemory()
	for i := range 4 {
		mustBackup(t, tiny(fmt.Sprint(i)), before, "secret")
	}
	q := repository.ForgetRequest{Policy: repository.Policy{Last: 1}}
	for n := 1; ; n++ {
		m := before.clone()
		f := &failing{memory: m, after: n}
		r, err := repository.Open(t.Context(), f, chain(t, "secret"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Forget(t.Context(), q)
		if f.changes < n {
			if n < 7 || err != nil {
				t.Errorf("only %d changes, %v", f.changes, err)
			}
			break
		}
		if n < 6 && !errors.Is(err, errFault) {
			t.Errorf("change %d: %v", n, err)
		}
		for _, lock := range m.names("locks/") {
			delete(m.objects, lock) // the lock of this living process would be respected
		}
		findings(t, m, "secret", 0)
		forget(t, m, "secret", q)
		findings(t, m, "secret", 0)
		if left := ids(t, m, "secret"); len(left) != 1 {
			t.Errorf("change %d: snapshots are %q", n, left)
		}
	}
}

// failing is a storage in which all changes fail, starting with a given one.
type failing struct {
	*memory
	after, changes int
}

func (f *failing) change() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changes++; f.changes >= f.after {
		return errFault
	}
	return nil
}

func (f *failing) Put(ctx context.Context, name string, data []byte) error {
	if err := f.change(); err != nil {
		return err
	}
	return f.memory.Put(ctx, name, data)
}

func (f *failing) Delete(ctx context.Context, name string) error {
	if err := f.change(); err != nil {
		return err
	}
	return f.memory.Delete(ctx, name)
}
