// Package apart runs a stage of an example in a process of its own, for the tests
// of the example: their own program is the plugin.
package apart

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/host"
	"github.com/lmsvault/vault/plugins/protocol"
)

// Main is for TestMain: it runs the tests, or the plugin if a host has started the program.
func Main(m *testing.M, plugin func()) {
	if os.Getenv(protocol.Handshake().MagicCookieKey) != "" {
		plugin()
	}
	os.Exit(m.Run())
}

// Process serves a stage. It is a conformance.Process.
type Process struct {
	t        testing.TB
	program  host.Program
	declared stage.Stage
	host     *host.Host // nil after a kill
}

// New makes a Process of what the example declares. It ends with the test.
func New(t testing.TB, declared stage.Stage) *Process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &Process{t: t, declared: declared, program: host.Program{Name: declared.Name, Path: exe}}
}

// Stage is the stage in its process.
func (p *Process) Stage() stage.Stage {
	if p.host == nil {
		h := host.New(host.Config{Log: slog.New(slog.DiscardHandler), Dir: p.t.TempDir(), Version: "1.0.0", Stall: time.Minute})
		p.t.Cleanup(func() {
			if err := h.Close(); err != nil {
				p.t.Error(err)
			}
		})
		p.host = h
	}
	return p.host.Isolate(p.declared, p.program)
}

// Kill kills the children of this process that run its own program.
func (p *Process) Kill() error {
	p.host = nil
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		return err
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // the thread has ended
		}
		if err != nil {
			return err
		}
		for _, word := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(word)
			if err == nil {
				err = p.kill(pid)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// kill kills a process if it runs the program, and waits for its end.
func (p *Process) kill(pid int) (err error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil || program != p.program.Path {
		return nil // another process, or none any more
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	for {
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
