package host_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/machine"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/host"
	"github.com/lmsvault/vault/plugins/protocol"
	"github.com/lmsvault/vault/plugins/sdk"
	"github.com/lmsvault/vault/storages/local"
	"github.com/lmsvault/vault/transforms/compress"
	"github.com/lmsvault/vault/transforms/encrypt"
)

// The test binary is the plugin when a host starts it.
func TestMain(m *testing.M) {
	if os.Getenv(protocol.Handshake().MagicCookieKey) != "" {
		mischief()
		sdk.Main(sdk.Plugin{Name: "test", Version: "1.0.0", Stages: append(played(), local.Stage(), compress.Stage(), encrypt.Stage(), copies(), leaky(), nested(), actor(), adder(), factual(), publisher(), rogueStage(), rogueSource())})
	}
	if dir := os.Getenv(hostFolder); dir != "" {
		if err := beHost(dir); err != nil {
			panic(err)
		}
	}
	machine.Ordinary()
	if err := os.Setenv(race, os.Getenv(race)+" atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// race is the variable with options of the race detector. Without the option each process
// waits a second when it exits.
const race = "GORACE"

func newHost(t testing.TB) *host.Host {
	h := host.New(host.Config{Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Version: "1.0.0", Stall: time.Minute})
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func self(t testing.TB) host.Program {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return host.Program{Name: "test", Path: exe, Env: []string{race}}
}

func TestStorageConformsOverProcess(t *testing.T) {
	isolated := newHost(t).Isolate(local.Stage(), self(t))
	var dir string
	at := func(t testing.TB) stage.Storage {
		s, err := isolated.NewStorage(context.WithoutCancel(t.Context()), &local.Config{Dir: dir}, stage.Env{})
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
