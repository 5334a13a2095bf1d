package python_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/machine"
	"github.com/lmsvault/vault/plugins/host"
)

// busy is a storage that is busy, prefers five concurrent calls, and has no create.
const busy = `
import vault_plugin
from vault_plugin import Plugin, Setting, Stage, Temporary

class Busy(vault_plugin.Storage):
    connections = 5

    def put(self, name, data):
        raise Temporary("slow down", after=1.5)

    def stat(self, name):
        raise Temporary("away")

vault_plugin.serve(Plugin("busy", "1.0.0", [Stage(name="busy", summary="Is busy.", make=Busy, settings=[Setting("dir", help="none")])]))
`

func TestPythonErrorsAndLimits(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"vault_plugin.py", "plugin_pb2.py"} {
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "__main__.py"), []byte(busy), 0o600); err != nil {
		t.Fatal(err)
	}
	interpreter, file := machine.Python(t), filepath.Join(t.TempDir(), "busy")
	if out, err := exec.CommandContext(t.Context(), interpreter, "-m", "zipapp", dir, "-p", interpreter, "-o", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	d, err := newHost(t).Describe(t.Context(), host.Program{Name: "busy", Path: file})
	if err != nil {
		t.Fatal(err)
	}
	s := opened(t, d.Stages[0], dir)
	err = s.Put(t.Context(), "x", nil)
	if after, again := stage.IsTemporary(err); !again || after != 1500*time.Millisecond || err.Error() != "slow down" {
		t.Errorf("put: %v, temporary %v, after %v", err, again, after)
	}
	_, err = s.Stat(t.Context(), "x")
	if after, again := stage.IsTemporary(err); !again || after != 0 {
		t.Errorf("stat: %v, temporary %v, after %v", err, again, after)
	}
	if err := s.(stage.Creator).Create(t.Context(), "x", nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("create: %v", err)
	}
	if n := s.(stage.Limiter).Limits().Connections; n != 5 {
		t.Errorf("preferred number of calls is %d, want 5", n)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
