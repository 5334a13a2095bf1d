package python_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/machine"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/host"
)

// archive builds the single file of the example for vault plugin install.
func archive(t testing.TB) string {
	t.Helper()
	interpreter, dir := machine.Python(t), t.TempDir()
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

// settings are the settings of the example.
type settings struct {
	Dir string `key:"dir" required:"true"`
}

// directory returns the example's stage as a pipeline gets it.
func directory(t testing.TB) stage.Stage {
	d, err := newHost(t).Describe(t.Context(), host.Program{Name: "directory", Path: archive(t)})
	if err != nil {
		t.Fatal(err)
	}
	return d.Stages[0]
}

// opened opens a stage in a directory.
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

func TestContract(t *testing.T) {
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
	host   *host.Host // nil after a kill
	living stage.Stage
}

func (p *plugin) stage() stage.Stage {
	if p.host == nil {
		p.host = newHost(p.t)
		d, err := p.host.Describe(p.t.Context(), host.Program{Name: "directory", Path: p.file})
		if err != nil {
			p.t.Fatal(err)
		}
		p.living = d.Stages[0]
	}
	return p.living
}

// Kill kills the process as kill -9 does. Stages opened afterwards have a new host.
func (p *plugin) Kill() error {
	h := p.host
	if p.host = nil; h == nil {
		return nil
	}
	return errors.Join(h.Kill(), h.Close()) // a host that continues would repeat the killed call
}
