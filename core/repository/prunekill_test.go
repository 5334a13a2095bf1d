package repository_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/repository"
)

// killPrune is the environment variable that makes the test binary forget and prune until it
// is killed.
const killPrune = "VAULT_TEST_KILL_PRUNE"

func forgetAndPrune(ctx context.Context, t testing.TB, dir string) error {
	s, err := openLocal(dir)
	if err != nil {
		return err
	}
	r, err := repository.Open(ctx, s, chain(t, "secret"))
	if err != nil {
		return err
	}
	if _, err = r.Forget(ctx, repository.ForgetRequest{Policy: repository.Policy{Last: 2}}); err == nil {
		_, err = r.Prune(ctx, repository.PruneRequest{MaxWaste: 10})
	}
	return errors.Join(err, r.Close(ctx))
}

// If forget and prune are killed at any time, no snapshot lacks a chunk and none is removed
// without a record. The next forget and prune finish the work.
func TestKillForgetAndPrune(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "repository")
	child := func(ctx context.Context, more ...string) error {
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^$")
		cmd.Env = append(append(os.Environ(), killDir+"="+dir), more...)
		cmd.Stderr = os.Stderr
		return cmd.Run()
	}
	made := map[string]int{}
	next := 0
	add := func() {
		next++
		if err := child(t.Context(), fmt.Sprintf("%s=%d", killRound, next)); err != nil {
			t.Fatal(err)
		}
		made[latest(t, dir)] = next
	}
	add()
	began := time.Now()
	if err := child(t.Context(), killPrune+"=1"); err != nil {
		t.Fatal(err)
	}
	whole, killed := time.Since(began), 0
	for round := range 2 * rounds {
		if round%2 == 0 {
			add()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.Int64N(int64(whole))))
		began := time.Now()
		err := child(ctx, killPrune+"=1")
		late := ctx.Err() != nil
		cancel()
		switch {
		case err == nil:
			whole = min(whole, time.Since(began))
		case late:
			killed++
		default:
			t.Fatalf("round %d: %v", round, err)
		}
		if round%4 == 3 {
			findings(t, storageAt(t, dir), "secret", 0)
		}
		if round%20 == 19 {
			restore(t, storageAt(t, dir), "latest", "secret").sameAs(t, roundSite(next))
		}
	}
	if killed < rounds/2 {
		t.Errorf("only %d rounds were killed", killed)
	}
	add()
	if err := child(t.Context(), killPrune+"=1"); err != nil {
		t.Fatal(err)
	}
	r := open(t, storageAt(t, dir), "secret")
	list, err := r.Snapshots(t.Context())
	if err != nil || len(list) != 2 {
		t.Errorf("%d snapshots remain, %v", len(list), err)
	}
	p, err := r.Prune(t.Context(), repository.PruneRequest{DryRun: true})
	if err != nil || p.Remove != 0 || p.Merge != 0 {
		t.Errorf("%v: waste or small packs remain: %+v", err, p)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
	for _, l := range list {
		restore(t, storageAt(t, dir), l.ID, "secret").sameAs(t, roundSite(made[l.ID]))
	}
	findings(t, storageAt(t, dir), "secret", 0)
	t.Logf("%d of %d rounds were killed", killed, 2*rounds)
}
