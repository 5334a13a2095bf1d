package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"
)

// Whenever a backup is killed, earlier snapshots stay intact, no incomplete snapshot
// appears, and the next run continues with what is already stored.
func TestKilledBackupsKeepSnapshotsIntact(t *testing.T) {
	const rounds = 50
	p := at(t)
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(p.dir, "identity")
	if err := os.WriteFile(key, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	backup := pipelineFile(t, fmt.Sprintf(`version: 1
name: nightly
source: [{use: sqlite, with: {path: %[1]s/site.sqlite}}, {use: files, with: {dir: %[1]s/data/filedir}}, {use: dataroot, with: {dir: %[1]s/data}}]
transform: [{use: compress}, {use: encrypt, with: {recipients: [%[2]s], identity: "${file:%[3]s}"}}]
sink: [{use: local, with: {dir: %[1]s/repo, create: true}}]
`, p.dir, id.Recipient(), key))
	repo := filepath.Join(p.dir, "repo")
	began := time.Now()
	must(t, nil, "run", backup)
	whole := time.Since(began)
	snapshots := func() int {
		return strings.Count(must(t, nil, "snapshots", repo, "--json", "--identity-file", key).stdout, "nightly")
	}
	rng := rand.New(rand.NewPCG(50, 50))
	kept, killed := snapshots(), 0
	for round := range rounds {
		// Each round has something new to store.
		fresh := make([]byte, 300<<10)
		for i := range fresh {
			fresh[i] = byte(rng.Uint32())
		}
		if err := os.WriteFile(filepath.Join(p.dir, "data", "lang", fmt.Sprintf("new%d", round)), fresh, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := command(t, nil, "run", backup)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("round %d: a run after a killed one fails: %v", round, err)
			}
		case <-time.After(time.Duration(rng.Int64N(int64(whole) + 1))):
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
			if <-done == nil {
				break // the backup had already finished
			}
			killed++
		}
		if round%10 == 9 {
			now := snapshots()
			if now < kept {
				t.Fatalf("round %d: of %d snapshots, %d are left", round, kept, now)
			}
			kept = now
			must(t, nil, "verify", repo, "--identity-file", key)
		}
	}
	if killed < rounds/3 {
		t.Errorf("only %d of %d runs were killed while running", killed, rounds)
	}
	before := snapshots()
	must(t, nil, "run", backup)
	if after := snapshots(); after != before+1 {
		t.Errorf("the run after all kills created %d snapshots", after-before)
	}
	must(t, nil, "verify", repo, "--identity-file", key)
	if left, err := os.ReadDir(filepath.Join(repo, "tmp")); err == nil && len(left) > 0 {
		t.Errorf("the killed runs left %d temporary files", len(left))
	}
}

// killable returns a function that runs a program, and one that kills it from another
// goroutine once it has started.
func killable(t testing.TB, cmd *exec.Cmd) (run func() error, kill func()) {
	started := make(chan struct{})
	run = func() error {
		err := cmd.Start()
		close(started)
		if err != nil {
			return err
		}
		return cmd.Wait()
	}
	kill = func() {
		<-started
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
	}
	return run, kill
}
