package lockfile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/machine"
	"github.com/lmsvault/vault/plugins/host"
	"github.com/lmsvault/vault/plugins/lockfile"
	"github.com/lmsvault/vault/plugins/protocol"
	"github.com/lmsvault/vault/plugins/sdk"
	"github.com/lmsvault/vault/storages/local"
)

// build describes a plugin made for a test.
type build struct {
	Name, Version string
	Storages      []string
	Note          string // changes the file but not the plugin
}

// The test binary is the plugin when started by the script of a build.
func TestMain(m *testing.M) {
	if os.Getenv(protocol.Handshake().MagicCookieKey) != "" {
		var b build
		if err := json.Unmarshal([]byte(os.Args[1]), &b); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		b.serve()
	}
	machine.Ordinary()
	os.Exit(m.Run())
}

func (b build) serve() {
	p := sdk.Plugin{Name: b.Name, Version: b.Version}
	for _, name := range b.Storages {
		s := local.Stage()
		s.Name = name
		p.Stages = append(p.Stages, s)
	}
	sdk.Main(p)
}

// file makes the plugin's program, a small script.
func (b build) file(t testing.TB) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return script(t, "exec '"+self+"' '"+string(text)+"'")
}

func mystore(version string) build {
	return build{Name: "mystore", Version: version, Storages: []string{"mystore"}}
}

// script makes an executable file.
func script(t testing.TB, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+lines+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func today() time.Time { return time.Date(2026, 3, 1, 12, 30, 15, 99, time.UTC) }

// options returns options as used by vault plugin install.
func options(t testing.TB) lockfile.Options {
	t.Helper()
	dir, err := os.MkdirTemp("", "lock") // a short path, for sockets
	if err != nil {
		t.Fatal(err)
	}
	h := host.New(host.Config{Log: slog.New(slog.DiscardHandler), Dir: dir, Version: "1.0.0", Stall: time.Minute})
	t.Cleanup(func() {
		if err := errors.Join(h.Close(), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	builtIn, err := stage.NewRegistry(local.Stage())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GORACE", "atexit_sleep_ms=0") // otherwise each process waits a second with -race
	describe := func(ctx context.Context, p host.Program) (*host.Description, error) {
		p.Env = append(p.Env, "GORACE")
		return h.Describe(ctx, p)
	}
	return lockfile.Options{BuiltIn: builtIn, Describe: describe, Now: today()}
}

func install(t testing.TB, dir, file string) *lockfile.Installed {
	t.Helper()
	return installWith(t, dir, file, options(t))
}

func installWith(t testing.TB, dir, file string, o lockfile.Options) *lockfile.Installed {
	t.Helper()
	done, err := lockfile.Install(t.Context(), dir, file, o)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// refused fails unless err is of class failure.Refused and contains all of says.
func refused(t testing.TB, err error, says ...string) {
	t.Helper()
	if failure.Of(err) != failure.Refused {
		t.Fatalf("error has class %d: %v", failure.Of(err), err)
	}
	said(t, err, says...)
}

func said(t testing.TB, err error, says ...string) {
	t.Helper()
	for _, s := range says {
		if !strings.Contains(fmt.Sprint(err), s) {
			t.Errorf("error does not contain %q:\n%v", s, err)
		}
	}
	if strings.Contains(fmt.Sprint(err), "not found") {
		t.Errorf("error calls it not found: %v", err)
	}
}

func load(t testing.TB, dir string) *lockfile.File {
	t.Helper()
	f, err := lockfile.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// program looks up the plugin mystore as a pipeline does.
func program(t testing.TB, dir string) (host.Program, error) {
	t.Helper()
	p, ok := load(t, dir).Find(stage.RoleSink, "mystore")
	if !ok {
		t.Fatal("the lock file has no storage mystore")
	}
	return p.Program()
}

func read(t testing.TB, elem ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// write replaces a file, which may be running.
func write(t testing.TB, text string, elem ...string) {
	t.Helper()
	path := filepath.Join(elem...)
	mode := os.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	err := os.WriteFile(path+".new", []byte(text), mode)
	if err := errors.Join(err, os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

func chmod(t testing.TB, mode os.FileMode, elem ...string) {
	t.Helper()
	if err := os.Chmod(filepath.Join(elem...), mode); err != nil {
		t.Fatal(err)
	}
}

// files lists the plugin directory.
func files(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, lockfile.Folder))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
