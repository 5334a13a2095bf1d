package repository_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/machine"
	"github.com/lmsvault/vault/storages/local"
)

// These environment variables make the test binary a backup process, which the test kills.
const (
	killDir   = "VAULT_TEST_KILL_DIR"
	killRound = "VAULT_TEST_KILL_ROUND"
)

func TestMain(m *testing.M) {
	dir := os.Getenv(killDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	if to := os.Getenv(killCopy); to != "" {
		if err := copyBetween(context.Background(), &testing.T{}, dir, to); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if change := os.Getenv(killAccess); change != "" {
		if err := changePassphrase(context.Background(), &testing.T{}, dir, change); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if os.Getenv(killPrune) != "" {
		if err := forgetAndPrune(context.Background(), &testing.T{}, dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	var round int
	if _, err := fmt.Sscan(os.Getenv(killRound), &round); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	t := &testing.T{}
	s, err := openLocal(dir)
	if err == nil {
		_, err = backup(context.Background(), roundSite(round), s, seals(t, "secret"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func openLocal(dir string) (stage.Storage, error) {
	return local.Stage().NewStorage(context.Background(), &local.Config{Dir: dir}, stage.Env{})
}

func storageAt(t testing.TB, dir string) stage.Storage {
	t.Helper()
	s, err := openLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// roundSite returns a small site that differs slightly from round to round.
func roundSite(round int) *site {
	s := sampleSite()
	delete(s.files, "dataroot/large")
	for i := range 4 {
		s.files[fmt.Sprintf("dataroot/round/%d", i)] = noise(byte(7*round+i), 300<<10)
	}
	s.tables["empty"] = [][]string{{fmt.Sprintf("1\tround\t%d\tx", round)}}
	return s
}

// If a backup is killed at any time, all earlier snapshots stay intact. The next backup
// starts immediately, in spite of the old lock, and reuses the stored content.
func TestKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "repository")
	child := func(ctx context.Context, round int) *exec.Cmd {
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), killDir+"="+dir, fmt.Sprintf("%s=%d", killRound, round))
		cmd.Stderr = os.Stderr
		return cmd
	}
	began := time.Now()
	if err := child(t.Context(), 0).Run(); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(began)
	done := map[string]int{latest(t, dir): 0} // snapshots and their rounds
	killed := 0
	for round := 1; round <= rounds; round++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.Int64N(int64(whole))))
		began := time.Now()
		err := child(ctx, round).Run() // CommandContext sends SIGKILL
		cancel()
		if err == nil {
			whole = min(whole, time.Since(began)) // so that most rounds are killed
		}
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL, errors.Is(err, context.DeadlineExceeded):
			killed++
		case err != nil:
			t.Fatalf("round %d: %v", round, err)
		}
		id := latest(t, dir)
		if _, known := done[id]; !known {
			done[id] = round // killed after its snapshot was stored, or not at all
		}
		if round%10 == 0 {
			restore(t, storageAt(t, dir), id, "secret").sameAs(t, roundSite(done[id]))
			findings(t, storageAt(t, dir), "secret", 0)
		}
	}
	if killed < rounds/5 {
		t.Errorf("only %d rounds were killed", killed)
	}
	if err := child(t.Context(), rounds+1).Run(); err != nil {
		t.Fatal(err)
	}
	done[latest(t, dir)] = rounds + 1
	for id, round := range done {
		restore(t, storageAt(t, dir), id, "secret").sameAs(t, roundSite(round))
	}
	findings(t, storageAt(t, dir), "secret", 0)
	if left, err := os.ReadDir(filepath.Join(dir, "tmp")); err != nil || len(left) > 0 {
		t.Errorf("temporary files remain: %v, %v", left, err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "locks")); err != nil || len(left) > 0 {
		t.Errorf("locks remain: %v, %v", left, err)
	}
	t.Logf("%d of %d rounds were killed, %d snapshots", killed, rounds, len(done))
}

func latest(t testing.TB, dir string) string {
	t.Helper()
	r := open(t, storageAt(t, dir), "secret")
	snap, err := r.Load(t.Context(), theLatest)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return snap.ID
}

// If the disk fills up, the error of the backup names the path and a remedy. Once there is
// space, the next run continues.
func TestFullDisk(t *testing.T) {
	mount := machine.Tmpfs(t, "20m")
	dir := filepath.Join(mount, "repository")
	small := roundSite(0)
	mustBackup(t, small, storageAt(t, dir), "secret")
	big := bigSite()
	_, err := backup(t.Context(), big, storageAt(t, dir), seals(t, "secret"))
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got %v", err)
	}
	restore(t, storageAt(t, dir), "latest", "secret").sameAs(t, small)
	findings(t, storageAt(t, dir), "secret", 0)
	if out, err := exec.CommandContext(t.Context(), "mount", "-o", "remount,size=100m", mount).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	mustBackup(t, big, storageAt(t, dir), "secret")
	restore(t, storageAt(t, dir), "latest", "secret").sameAs(t, big)
}

// Other users can't read the files of a repository.
func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "repository")
	mustBackup(t, roundSite(0), storageAt(t, dir), "secret")
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
