// Package isolated runs the tests of a stage with the stage in its own process.
package isolated

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/host"
)

// Switch is the environment variable that runs stages in processes of vault: 1, or
// the path of the program. With 1 each test binary builds its own.
const Switch = "VAULT_TEST_ISOLATE"

// Stage returns s, or, with the switch, a stage that runs s in its own process, which
// ends with the test.
func Stage(t testing.TB, s stage.Stage) stage.Stage {
	t.Helper()
	program, on := program(t)
	if !on {
		return s
	}
	h := host.New(host.Config{Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Version: "0.0.0", Stall: time.Minute})
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("ending the stage's process: %v", err)
		}
	})
	return h.Isolate(s, program)
}

// On reports whether stages run in processes.
func On() bool { return os.Getenv(Switch) != "" && os.Getenv(Switch) != "0" }

func program(t testing.TB) (p host.Program, on bool) {
	t.Helper()
	if !On() {
		return p, false
	}
	p = host.Program{Name: "vault", Path: os.Getenv(Switch), Args: []string{"plugin", "serve"}}
	if p.Path == "1" {
		vault, err := build()
		if err != nil {
			t.Fatal(err)
		}
		p.Path = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), vault.Fd())
	}
	return p, true
}

// build builds the program once per test process. The file has no name: only the
// process holds it, and nothing remains of it.
var build = sync.OnceValues(func() (_ *os.File, err error) {
	dir, err := os.MkdirTemp("", "vault-isolated-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if bad := os.RemoveAll(dir); err == nil {
			err = bad
		}
	}()
	path := filepath.Join(dir, "vault")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/lmsvault/vault/cmd/vault").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building vault: %w\n%s", err, out)
	}
	return os.Open(path)
})
