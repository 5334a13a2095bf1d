package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// child is a process started by vault.
type child struct {
	pid   int
	stage string // the stage it runs
	end   *os.File
}

// children lists the processes of isolated stages that a process has started.
func children(t testing.TB, parent int) []child {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var found []child
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if fields[1] != strconv.Itoa(parent) {
			continue
		}
		line, err := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		args := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
		if err != nil || len(args) < 4 || args[1] != "plugin" || args[2] != "serve" {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue
		}
		c := child{pid, args[3], os.NewFile(uintptr(fd), "pidfd")}
		t.Cleanup(func() {
			if err := c.end.Close(); err != nil {
				t.Error(err)
			}
		})
		found = append(found, c)
	}
	return found
}

// ended waits for the end of a process that is not a child of the test.
func (c child) ended(t testing.TB) {
	t.Helper()
	poll := []unix.PollFd{{Fd: int32(c.end.Fd()), Events: unix.POLLIN}}
	for {
		switch n, err := unix.Poll(poll, 10_000); {
		case err == unix.EINTR:
			continue
		case err != nil:
			t.Fatal(err)
		case n == 0:
			t.Errorf("process %d of %s still exists", c.pid, c.stage)
		}
		return
	}
}

func (c child) kill(t testing.TB) {
	t.Helper()
	if err := syscall.Kill(c.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func one(t testing.TB, all []child, stage string) child {
	t.Helper()
	for _, c := range all {
		if c.stage == stage {
			return c
		}
	}
	t.Fatalf("no process for %s among %v", stage, all)
	return child{}
}

// disturbed runs a pipeline with isolated stages and --json. When the first unit is
// done, it calls do with the process and its children.
func disturbed(t testing.TB, env []string, pipeline string, do func(vault *exec.Cmd, all []child)) output {
	t.Helper()
	cmd := command(t, append(env, "LMSVAULT_ISOLATE=true"), "run", "--json", pipeline)
	var stdout, stderr bytes.Buffer
	cmd.Stderr = &stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := false
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		fmt.Fprintln(&stdout, lines.Text())
		if !done && strings.Contains(lines.Text(), `"event":"unit"`) {
			done = true
			do(cmd, children(t, cmd.Process.Pid))
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	if !done {
		t.Fatalf("the run ended before the test could interfere: %v\n%s\n%s", err, stdout.String(), stderr.String())
	}
	return output{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}
