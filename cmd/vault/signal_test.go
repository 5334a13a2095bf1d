package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/internal/machine"
)

const large = "version: 1\nsource: [{use: sample, with: {files: false, db_bytes: 1GiB}}]\nsink: [{use: local, with: {dir: \"${dir}\", create: true}}]\n"

func TestSignalEndsRunWithExitCode130(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		cmd := call{args: []string{"run", written(t, "p.yaml", large), "--json", "--set", "dir=" + filepath.Join(t.TempDir(), "repo")}}.command(t)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		last := ""
		sent := false
		for events := bufio.NewScanner(stdout); events.Scan(); last = events.Text() {
			if !sent && strings.Contains(events.Text(), `"event":"moving"`) {
				sent = true
				if err := cmd.Process.Signal(s); err != nil {
					t.Fatal(err)
				}
			}
		}
		err = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 130 {
			t.Errorf("%v: exit code %d (%v): %s", s, code, err, stderr.String())
		}
		if !strings.Contains(last, `"event":"error"`) || !strings.Contains(last, `"class":130`) {
			t.Errorf("%v: the last event is %s", s, last)
		}
	}
}

// vault run --json | head -1
func TestRunEndsCleanlyIfReaderExits(t *testing.T) {
	repo := filepath.Join(t.TempDir(), "repo")
	cmd := call{args: []string{"run", written(t, "p.yaml", large), "--json", "--set", "dir=" + repo}}.command(t)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := stdout.Close(); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(stderr.String(), "the report can't be written") {
		t.Errorf("exit code %d (%v): %s", code, err, stderr.String())
	}
	if left, err := filepath.Glob(repo + "/locks/*"); err != nil || len(left) > 0 {
		t.Errorf("remaining: %v, %v", left, err)
	}
}

func TestOnlyWorkspacesOfKilledRunsAreRemoved(t *testing.T) {
	tmp := t.TempDir()
	const dead, alive, link = "vault-run-AAAAAAAAAAAAAAAAAAAAAAAAAA", "vault-run-BBBBBBBBBBBBBBBBBBBBBBBBBB", "vault-run-CCCCCCCCCCCCCCCCCCCCCCCCCC"
	folders := map[string]bool{dead: false, alive: true, "vault-run-mine": true, "vault-run-2026-photos": true, "vault-run-1": true, "vault-demo-3": true}
	for name := range folders {
		if err := os.MkdirAll(filepath.Join(tmp, name, "spool"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(tmp, "vault-run-mine"), filepath.Join(tmp, link)); err != nil {
		t.Fatal(err)
	}
	folders[link] = true
	living, err := cli.Claim(filepath.Join(tmp, alive))
	if err != nil || living == nil {
		t.Fatal(living, err)
	}
	vault(t, 3, []string{"TMPDIR=" + tmp}, "snapshots", tmp)
	for name, want := range folders {
		if _, err := os.Stat(filepath.Join(tmp, name)); (err == nil) != want {
			t.Errorf("%s: %v, want it kept: %v", name, err, want)
		}
	}
	if all, err := os.ReadDir(tmp); err != nil || len(all) != len(folders)-1 {
		t.Errorf("remaining: %v, %v", all, err)
	}
	if err := living.Close(); err != nil {
		t.Fatal(err)
	}
}

// Ctrl-C at the prompt for the passphrase ends vault and restores the terminal's echo.
func TestCtrlCAtPassphrasePromptRestoresTerminal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	vault(t, 0, nil, "demo", "--dir", dir)
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		machine.Missing(t, "pseudo-terminals: %v", err)
	}
	defer closed(t, master)
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, slave)
	cmd := call{args: []string{"snapshots", dir + "/repository"}}.command(t)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for seen, buf := "", make([]byte, 1); !strings.Contains(seen, "passphrase: "); seen += string(buf) {
		if _, err := master.Read(buf); err != nil {
			t.Fatal(seen, err)
		}
	}
	echo := func() bool {
		state, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		return state.Lflag&unix.ECHO != 0
	}
	for echo() { // until it waits for the passphrase
		continue
	}
	if _, err := master.Write([]byte{3}); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 || !echo() {
		t.Errorf("exit code %d (%v), the terminal shows what is typed: %v", code, err, echo())
	}
}

func closed(t *testing.T, f *os.File) {
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
