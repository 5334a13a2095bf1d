package repository_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/stage"
)

// asPipeline returns a Destination that is configured by a pipeline.
func asPipeline(t testing.TB, to stage.Storage, passphrase string) repository.Destination {
	return repository.Destination{Storage: to, Config: repository.SinkConfig{Transforms: seals(t, passphrase), Create: true}}
}

// asDirectory returns a Destination of which only the passphrase is known.
func asDirectory(t testing.TB, to stage.Storage, passphrase string) repository.Destination {
	c := readChain(t, config.NewSecret(passphrase), config.Secret{})
	return repository.Destination{Storage: to, Chain: &c}
}

func mustCopy(t testing.TB, from stage.Storage, passphrase string, to repository.Destination, q repository.CopyRequest) *repository.Copying {
	t.Helper()
	c, err := open(t, from, passphrase).Copy(t.Context(), to, q)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func copied(c *repository.Copying) (ids []string) {
	for _, s := range c.Copy {
		ids = append(ids, s.Snapshot.ID)
	}
	return ids
}

// A copy under another key has all rows, files, times, tags and losses of the original.
func TestCopyUnderAnotherKey(t *testing.T) {
	from, to := newMemory(), newMemory()
	sites := map[string]*site{}
	var ids []string
	for round := range 3 {
		s := roundSite(round)
		s.tags = []string{"t" + fmt.Sprint(round)}
		id := mustBackup(t, s, from, "first").Snapshot
		sites[id], ids = s, append(ids, id)
	}
	untouched := maps.Clone(from.objects)
	c := mustCopy(t, from, "first", asPipeline(t, to, "second"), repository.CopyRequest{})
	if !slices.Equal(copied(c), ids) || len(c.There) > 0 || len(c.Failed) > 0 {
		t.Errorf("copied %+v", c)
	}
	for _, s := range c.Copy {
		if s.Totals.New != s.Snapshot.Totals.New {
			t.Errorf("the copy of %s has %d new bytes, want %d as in the original", s.ID, s.Totals.New, s.Snapshot.Totals.New)
		}
	}
	if !maps.EqualFunc(from.objects, untouched, bytes.Equal) {
		t.Error("the source repository was changed")
	}
	a, b := open(t, from, "first"), open(t, to, "second")
	for _, id := range ids {
		restore(t, to, id, "second").sameAs(t, sites[id])
		one, err := a.Load(t.Context(), repository.Choice{Snapshot: id})
		if err != nil {
			t.Fatal(err)
		}
		two, err := b.Load(t.Context(), repository.Choice{Snapshot: id})
		if err != nil {
			t.Fatal(err)
		}
		if two.Original == nil || two.Original.Snapshot != id || !two.Start.Equal(one.Start) || !two.End.Equal(one.End) || two.Pipeline != one.Pipeline || two.Host != one.Host ||
			!slices.Equal(two.Tags, one.Tags) || !maps.Equal(two.Facts, one.Facts) || len(two.Losses) != 1 || len(two.Tables) != len(one.Tables) {
			t.Errorf("the copy of %s is %+v", id, two)
		}
		for i, table := range one.Tables {
			if two.Tables[i].Proof != table.Proof {
				t.Errorf("%s: table %s has proof %s, want %s", id, table.Schema.Name, two.Tables[i].Proof, table.Proof)
			}
		}
		if id != ids[0] && two.Previous != one.Previous {
			t.Errorf("%s: previous snapshot is %q, want %q", id, two.Previous, one.Previous)
		}
	}
	findings(t, to, "second", 0)
	for name, data := range to.objects {
		if bytes.Contains(data, []byte(secretName)) {
			t.Errorf("%s contains the secret name in plain text", name)
		}
	}

	before := len(to.objects)
	c = mustCopy(t, from, "first", asDirectory(t, to, "second"), repository.CopyRequest{})
	if len(c.Copy) > 0 || len(c.There) != 3 || len(to.objects) != before {
		t.Errorf("the second time: copied %q, %d copied before, %d objects added", copied(c), len(c.There), len(to.objects)-before)
	}
	late := roundSite(3)
	id := mustBackup(t, late, from, "first").Snapshot
	if c = mustCopy(t, from, "first", asDirectory(t, to, "second"), repository.CopyRequest{}); !slices.Equal(copied(c), []string{id}) {
		t.Errorf("after another backup: copied %q", copied(c))
	}
	restore(t, to, "latest", "second").sameAs(t, late)
	if keys := to.names("keys/"); len(keys) != 1 {
		t.Errorf("there are %d keys", len(keys))
	}
	mustBackup(t, roundSite(4), to, "second") // the target still accepts backups
	findings(t, to, "second", 0)
	c = mustCopy(t, to, "second", asPipeline(t, from, "first"), repository.CopyRequest{IDs: []string{id[:17]}})
	if len(c.Copy) > 0 || len(c.There) != 1 {
		t.Errorf("a copy is copied back: %+v", c)
	}
}

// A backup to the target reuses the content of copies.
func TestBackupAfterCopyStoresOnlyNewContent(t *testing.T) {
	from, to := newMemory(), newMemory()
	mustBackup(t, sampleSite(), from, "first")
	mustCopy(t, from, "first", asPipeline(t, to, "second"), repository.CopyRequest{})
	if sum := mustBackup(t, sampleSite(), to, "second"); sum.New > 0 {
		t.Errorf("the backup of a copied site stored %d new bytes", sum.New)
	}
}

func TestCopySelectedSnapshots(t *testing.T) {
	from, to := newMemory(), newMemory()
	school := mustBackup(t, small("nightly", "s1", "School"), from, "").Snapshot
	college := mustBackup(t, small("nightly", "s2", "College"), from, "").Snapshot
	hourly := mustBackup(t, small("hourly", "s1", "School"), from, "").Snapshot
	for _, q := range []struct {
		repository.CopyRequest
		want []string
	}{
		{repository.CopyRequest{Want: repository.Choice{Site: "School", Pipeline: "nightly"}}, []string{school}},
		{repository.CopyRequest{IDs: []string{college, "latest"}}, []string{college, hourly}},
		{repository.CopyRequest{}, []string{school, college, hourly}},
	} {
		q.DryRun = true
		if c := mustCopy(t, from, "", asPipeline(t, to, ""), q.CopyRequest); !slices.Equal(copied(c), q.want) || len(to.objects) > 0 {
			t.Errorf("dry run of %+v: copied %q, want %q; %d objects exist, want none", q.CopyRequest, copied(c), q.want, len(to.objects))
		}
		q.DryRun = false
		fresh := newMemory()
		if c := mustCopy(t, from, "", asPipeline(t, fresh, ""), q.CopyRequest); !slices.Equal(copied(c), q.want) {
			t.Errorf("%+v: copied %q, want %q", q.CopyRequest, copied(c), q.want)
		}
	}
	for _, q := range []repository.CopyRequest{{Want: repository.Choice{Site: "s3"}}, {IDs: []string{"1999"}}} {
		if _, err := open(t, from, "").Copy(t.Context(), asPipeline(t, to, ""), q); failure.Of(err) != failure.Usage {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func TestCopyIsRefused(t *testing.T) {
	from, to, clear := newMemory(), newMemory(), newMemory()
	mustBackup(t, sampleSite(), from, "first")
	mustBackup(t, small("nightly", "", ""), to, "second")
	mustBackup(t, small("nightly", "", ""), clear, "")
	twin := newMemory()
	twin.objects = maps.Clone(from.objects)
	for name, c := range map[string]struct {
		to  repository.Destination
		say string
	}{
		"same repository":                             {asPipeline(t, from, "first"), "source and target are the same repository"},
		"same repository by passphrase":               {asDirectory(t, from, "first"), "source and target are the same repository"},
		"copied repository files":                     {asPipeline(t, twin, "first"), "or one is a copy of the other"},
		"wrong passphrase":                            {asPipeline(t, to, "wrong"), "wrong passphrase"},
		"wrong passphrase without a pipeline":         {asDirectory(t, to, "wrong"), "wrong passphrase"},
		"passphrase for an unencrypted repository":    {asDirectory(t, clear, "second"), "is not encrypted"},
		"encrypting pipeline, unencrypted repository": {asPipeline(t, clear, "second"), "the repository is not encrypted"},
		"empty storage":                               {asDirectory(t, newMemory(), "second"), "there is no repository"},
		"empty storage without create":                {repository.Destination{Storage: newMemory()}, "there is no repository"},
	} {
		before := len(from.objects) + len(to.objects) + len(clear.objects) + len(twin.objects)
		_, err := open(t, from, "first").Copy(t.Context(), c.to, repository.CopyRequest{})
		if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v", name, err)
		}
		if after := len(from.objects) + len(to.objects) + len(clear.objects) + len(twin.objects); after != before {
			t.Errorf("%s: %d objects were added", name, after-before)
		}
	}
}

// A damaged snapshot is not copied, but the others are.
func TestCopySkipsDamagedSnapshots(t *testing.T) {
	from, to := newMemory(), newMemory()
	mustBackup(t, small("nightly", "", ""), from, "first")
	bad := mustBackup(t, roundSite(1), from, "first").Snapshot
	first := mustBackup(t, small("hourly", "", ""), from, "first").Snapshot
	var largest string
	for _, name := range from.names("packs/") {
		if largest == "" || len(from.objects[name]) > len(from.objects[largest]) {
			largest = name
		}
	}
	data := slices.Clone(from.objects[largest])
	data[len(data)/2] ^= 1
	from.objects[largest] = data
	c, err := open(t, from, "first").Copy(t.Context(), asPipeline(t, to, "second"), repository.CopyRequest{})
	if failure.Of(err) != failure.Unproven || !strings.Contains(err.Error(), bad) {
		t.Fatalf("%v", err)
	}
	if len(c.Failed) != 1 || c.Failed[0].ID != bad || !errors.Is(c.Failed[0].Err, stage.ErrCorrupt) || len(c.Copy) != 2 || c.Copy[1].Snapshot.ID != first {
		t.Errorf("copied %q, failed %+v", copied(c), c.Failed)
	}
	findings(t, to, "second", 0)
	if list, err := open(t, to, "second").Snapshots(t.Context()); err != nil || len(list) != 2 {
		t.Errorf("%d snapshots in the target, %v", len(list), err)
	}
}

// A snapshot that was removed from the target is only copied again by its ID.
func TestCopySkipsRemovedSnapshots(t *testing.T) {
	from, to := newMemory(), newMemory()
	first := mustBackup(t, roundSite(0), from, "").Snapshot
	mustBackup(t, roundSite(1), from, "")
	mustCopy(t, from, "", asPipeline(t, to, ""), repository.CopyRequest{})
	forget(t, to, "", repository.ForgetRequest{IDs: []string{first}})
	c := mustCopy(t, from, "", asPipeline(t, to, ""), repository.CopyRequest{})
	if len(c.Copy) > 0 || len(c.Removed) != 1 || c.Removed[0].ID != first {
		t.Errorf("copied %q, removed %+v", copied(c), c.Removed)
	}
	c = mustCopy(t, from, "", asPipeline(t, to, ""), repository.CopyRequest{IDs: []string{first}})
	if len(c.Copy) != 1 || c.Copy[0].ID == first || c.Copy[0].ID[:15] != first[:15] {
		t.Errorf("copied %+v", c.Copy)
	}
	restore(t, to, c.Copy[0].ID, "").sameAs(t, roundSite(0))
	if c = mustCopy(t, from, "", asPipeline(t, to, ""), repository.CopyRequest{}); len(c.There) != 2 {
		t.Errorf("copied before: %+v", c.There)
	}
	findings(t, to, "", 0)
}

// The copy is signed with the key of the target. The original must be signed by a trusted
// signer.
func TestCopyIsSignedByTarget(t *testing.T) {
	from, to := newMemory(), newMemory()
	here, there := signingKey(t), signingKey(t)
	s := small("nightly", "", "")
	s.signs = here
	if _, err := backup(t.Context(), s, from, nil); err != nil {
		t.Fatal(err)
	}
	unsigned, err := backup(t.Context(), small("nightly", "", ""), from, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := repository.Destination{Storage: to, Config: repository.SinkConfig{Create: true, SigningKey: there}}
	c, err := trusting(t, from, here.Signer()).Copy(t.Context(), d, repository.CopyRequest{})
	if failure.Of(err) != failure.Unproven || len(c.Copy) != 1 || len(c.Failed) != 1 || c.Failed[0].ID != unsigned.Snapshot || !errors.Is(c.Failed[0].Err, manifest.ErrUnsigned) {
		t.Fatalf("%+v, %v", c, err)
	}
	snap, err := trusting(t, to, there.Signer()).Load(t.Context(), theLatest)
	if err != nil || snap.ID != c.Copy[0].ID {
		t.Errorf("%v", err)
	}
}

// killCopy is the environment variable that makes the test binary copy to this directory
// until it is killed.
const killCopy = "VAULT_TEST_KILL_COPY"

func copyBetween(ctx context.Context, t testing.TB, from, to string) error {
	s, err := openLocal(from)
	if err != nil {
		return err
	}
	r, err := repository.Open(ctx, s, chain(t, "secret"))
	if err != nil {
		return err
	}
	there, err := openLocal(to)
	if err == nil {
		_, err = r.Copy(ctx, asPipeline(t, there, "other"), repository.CopyRequest{})
	}
	return errors.Join(err, r.Close(ctx))
}

// If a copy is killed at any time, all snapshots in the target are complete. The next copy
// reuses the other packs, or prune removes them.
func TestKillCopy(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "repository")
	sites := map[string]*site{}
	for round := range 6 {
		s := roundSite(round)
		s.files["dataroot/own"] = noise(byte(100+round), 3<<20)
		sites[mustBackup(t, s, storageAt(t, dir), "secret").Snapshot] = s
	}
	child := func(ctx context.Context, to string) error {
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), killDir+"="+dir, killCopy+"="+to)
		cmd.Stderr = os.Stderr
		return cmd.Run()
	}
	began := time.Now()
	if err := child(t.Context(), filepath.Join(t.TempDir(), "whole")); err != nil {
		t.Fatal(err)
	}
	whole, killed := time.Since(began), 0
	for round := range rounds / 4 {
		to := filepath.Join(t.TempDir(), "copy")
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.Int64N(int64(whole))))
			err := child(ctx, to)
			if err != nil && ctx.Err() == nil {
				t.Fatal(err)
			}
			if err != nil {
				killed++
			}
			cancel()
		}
		if _, err := os.Stat(filepath.Join(to, "keys")); err == nil && round%2 == 0 {
			whatIsThereIsWhole(t, to, sites)
		}
		if err := child(t.Context(), to); err != nil {
			t.Fatal(err)
		}
		if n := whatIsThereIsWhole(t, to, sites); n != len(sites) {
			t.Errorf("%d snapshots were copied, want %d", n, len(sites))
		}
		r := open(t, storageAt(t, to), "other")
		if _, err := r.Prune(t.Context(), repository.PruneRequest{}); err != nil {
			t.Error(err)
		}
		if p, err := r.Prune(t.Context(), repository.PruneRequest{DryRun: true}); err != nil || p.Waste > 0 {
			t.Errorf("%+v, %v: waste remains", p, err)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
		whatIsThereIsWhole(t, to, sites)
	}
	if killed < rounds/4 {
		t.Errorf("only %d copies were killed", killed)
	}
}

// whatIsThereIsWhole verifies and restores all snapshots of a copy, and returns their number.
func whatIsThereIsWhole(t *testing.T, dir string, sites map[string]*site) int {
	t.Helper()
	r, err := repository.Open(t.Context(), storageAt(t, dir), chain(t, "other"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := r.Snapshots(t.Context())
	if err = errors.Join(err, r.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	for _, l := range list {
		restore(t, storageAt(t, dir), l.ID, "other").sameAs(t, sites[l.ID])
	}
	findings(t, storageAt(t, dir), "other", 0)
	return len(list)
}
