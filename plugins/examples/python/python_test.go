package python_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/host"
)

// python is an interpreter that has what a plugin needs. CI must have one.
func python(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.CommandContext(t.Context(), path, "-c", "import grpc, google.protobuf").Run() == nil {
			return path
		}
	}
	const missing = "there is no python3 with grpcio and protobuf: apt install python3-grpcio python3-protobuf"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// archive makes of the example the one file that vault plugin install takes.
func archive(t testing.TB) string {
	t.Helper()
	interpreter, dir := python(t), t.TempDir()
	for from, to := range map[string]string{"vault_plugin.py": "vault_plugin.py", "plugin_pb2.py": "plugin_pb2.py", "storage_dir.py": "__main__.py"} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "directory")
	out, err := exec.CommandContext(t.Context(), interpreter, "-m", "zipapp", dir, "-p", interpreter, "-o", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

func newHost(t testing.TB) *host.Host {
	h := host.New(host.Config{Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Version: "1.0.0", Stall: time.Minute})
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// settings are those of the example.
type settings struct {
	Dir string `key:"dir" required:"true"`
}

// directory is the example's stage as a pipeline gets it.
func directory(t testing.TB) stage.Stage {
	d, err := newHost(t).Describe(t.Context(), host.Program{Name: "directory", Path: archive(t)})
	if err != nil {
		t.Fatal(err)
	}
	return d.Stages[0]
}

// opened opens a stage in a folder.
func opened(t testing.TB, s stage.Stage, dir string) stage.Storage {
	t.Helper()
	cfg := s.Config()
	encoded, err := json.Marshal(map[string]string{"dir": dir})
	if err == nil {
		err = config.Assign(encoded, cfg)
	}
	if err != nil {
		t.Fatal(err)
	}
	made, err := s.NewStorage(context.WithoutCancel(t.Context()), cfg, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestTheExampleKeepsTheContract(t *testing.T) {
	p := &plugin{t: t, file: archive(t)}
	var dir string
	reopen := func(t testing.TB) stage.Storage { return opened(t, p.stage(), dir) }
	for _, c := range conformance.StorageChecks(conformance.StorageFixture{
		Open: func(t testing.TB) stage.Storage {
			dir = filepath.Join(t.TempDir(), "repository")
			return reopen(t)
		},
		Reopen:  reopen,
		Process: p,
	}) {
		t.Run(c.ID, func(t *testing.T) { c.Run(t) })
	}
}

// plugin is the example in processes that can be killed.
type plugin struct {
	t      *testing.T
	file   string
	living *stage.Stage // nil after a kill: what is opened next is of another host
}

func (p *plugin) stage() stage.Stage {
	if p.living == nil {
		d, err := newHost(p.t).Describe(p.t.Context(), host.Program{Name: "directory", Path: p.file})
		if err != nil {
			p.t.Fatal(err)
		}
		p.living = &d.Stages[0]
	}
	return *p.living
}

// Kill kills the children of this process that run the plugin's file.
func (p *plugin) Kill() error {
	p.living = nil
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

// kill kills a process if it runs the plugin's file, and waits for its end.
func (p *plugin) kill(pid int) (err error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || !strings.Contains(string(command), p.file) {
		return nil // another process, or none any more
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
