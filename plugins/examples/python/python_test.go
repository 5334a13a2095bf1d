package python_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

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

type settings struct {
	Dir string `key:"dir" required:"true"`
}

// directory is the example's stage as a pipeline gets it.
func directory(t testing.TB) stage.Stage {
	s := stage.Stage{
		Info:       stage.Info{Name: "directory", Role: stage.RoleStorage, Config: func() any { return &settings{} }},
		NewStorage: func(context.Context, any, stage.Env) (stage.Storage, error) { return nil, nil },
	}
	return newHost(t).Isolate(s, host.Program{Name: "directory", Path: archive(t)})
}

func TestTheExampleKeepsTheContract(t *testing.T) {
	isolated := directory(t)
	var dir string
	at := func(t testing.TB) stage.Storage {
		s, err := isolated.NewStorage(context.WithoutCancel(t.Context()), &settings{dir}, stage.Env{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	conformance.Storage(t, func(t testing.TB) stage.Storage {
		dir = filepath.Join(t.TempDir(), "repository")
		return at(t)
	}, at)
}
