// Package apart runs a stage of an example in its own process, for the tests of the
// example. The test program itself is the plugin.
package apart

import (
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/machine"
	"github.com/lmsvault/vault/plugins/host"
	"github.com/lmsvault/vault/plugins/protocol"
)

// Main is for TestMain. It runs the tests, or the plugin if the program was started by a
// host.
func Main(m *testing.M, plugin func()) {
	if os.Getenv(protocol.Handshake().MagicCookieKey) != "" {
		plugin()
	}
	machine.Ordinary()
	os.Exit(m.Run())
}

// Process serves a stage. It implements conformance.Process.
type Process struct {
	t        testing.TB
	program  host.Program
	declared stage.Stage
	host     *host.Host // nil after a kill
}

// New returns a Process for the stage declared by the example. It ends with the test.
func New(t testing.TB, declared stage.Stage) *Process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &Process{t: t, declared: declared, program: host.Program{Name: declared.Name, Path: exe}}
}

// Stage returns the stage that runs in the process.
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

// Kill kills the process as kill -9 does. Stages opened afterwards have a new host.
func (p *Process) Kill() error {
	h := p.host
	if p.host = nil; h == nil {
		return nil
	}
	return errors.Join(h.Kill(), h.Close()) // a host that continues would repeat the killed call
}
