package main

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/retry"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/examples/internal/apart"
	"github.com/lmsvault/vault/plugins/sdk"
)

func TestMain(m *testing.M) { apart.Main(m, main) }

func opened(t testing.TB, s stage.Stage, c settings) sdk.Storage {
	t.Helper()
	made, err := s.NewStorage(context.WithoutCancel(t.Context()), &c, sdk.Env{Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	return made
}

func TestContract(t *testing.T) {
	server := serve(t, "Subsystem sftp internal-sftp")
	plugin := apart.New(t, declared())
	c := server.settings
	reopen := func(t testing.TB) stage.Storage { return opened(t, plugin.Stage(), c) }
	for _, check := range conformance.StorageChecks(conformance.StorageFixture{
		Open: func(t testing.TB) stage.Storage {
			c.Dir = filepath.Join(t.TempDir(), "new", "repository")
			return reopen(t)
		},
		Reopen:  reopen,
		Process: plugin,
	}) {
		t.Run(check.ID, func(t *testing.T) { check.Run(t) })
	}
}

func TestLostConnectionIsRemade(t *testing.T) {
	server := serve(t, "Subsystem sftp internal-sftp")
	s := retry.New(opened(t, declared(), server.settings))
	must(t, s.Put(t.Context(), "before", []byte("1")))
	for range 3 {
		server.drop(t)
		must(t, s.Put(t.Context(), "after", []byte("2")))
	}
	server.mu.Lock()
	if server.accepted != 4 {
		t.Errorf("got %d connections, want 4", server.accepted)
	}
	server.mu.Unlock()
	got, err := s.Get(t.Context(), nil, "before", 0, -1)
	if err != nil || string(got) != "1" {
		t.Errorf("got %q, %v", got, err)
	}
	must(t, s.Close(t.Context()))
}

func TestRemainsOfCrashAreRemovedAfterADay(t *testing.T) {
	server := serve(t, "Subsystem sftp internal-sftp")
	const old, fresh = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "BCDEFGHIJKLMNOPQRSTUVWXYZA"
	temp := filepath.Join(server.settings.Dir, "+tmp")
	must(t, os.MkdirAll(temp, 0o700))
	for name, age := range map[string]time.Duration{old: 25 * time.Hour, fresh: time.Minute} {
		must(t, os.WriteFile(filepath.Join(temp, name), []byte("half"), 0o600))
		must(t, os.Chtimes(filepath.Join(temp, name), time.Time{}, time.Now().Add(-age)))
	}
	s := opened(t, declared(), server.settings)
	must(t, s.Put(t.Context(), "object", []byte("whole")))
	must(t, s.List(t.Context(), "", func(o sdk.Object) error {
		if o.Name != "object" {
			t.Errorf("%s is listed", o.Name)
		}
		return nil
	}))
	if _, err := os.Stat(filepath.Join(temp, old)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a temporary file a day old still exists (%v)", err)
	}
	if _, err := os.Stat(filepath.Join(temp, fresh)); err != nil {
		t.Errorf("a recent temporary file was removed: %v", err)
	}
	if info, err := os.Stat(filepath.Join(server.settings.Dir, "object")); err != nil || info.Mode() != 0o600 {
		t.Errorf("others can read the object: %v (%v)", info.Mode(), err)
	}
	must(t, s.Close(t.Context()))
}

func TestErrors(t *testing.T) {
	server := serve(t, "Subsystem sftp internal-sftp -R")
	other, otherPEM := key(t)
	for name, c := range map[string]struct {
		change func(c *settings)
		want   string
	}{
		"another host key":    {func(c *settings) { c.HostKey = line(other) }, "host key mismatch"},
		"an unknown key":      {func(c *settings) { c.PrivateKey = sdk.NewSecret(string(otherPEM)) }, "unable to authenticate"},
		"no server":           {func(c *settings) { c.Host = "127.0.0.1:1" }, "connection refused"},
		"no write permission": {func(*settings) {}, "permission denied"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := server.settings
			c.change(&changed)
			s := opened(t, apart.New(t, declared()).Stage(), changed)
			err := s.Put(t.Context(), "object", []byte("x"))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			must(t, s.Close(t.Context()))
		})
	}
}

func TestSettingsAreValidated(t *testing.T) {
	host, private := key(t)
	good := settings{HostKey: line(host), PrivateKey: sdk.NewSecret(string(private))}
	scanned := settings{HostKey: "[127.0.0.1]:2222 " + line(host), Password: sdk.NewSecret("p")}
	for _, c := range []settings{good, scanned} {
		must(t, c.Validate())
	}
	for want, c := range map[string]settings{
		"host_key":    {HostKey: "SHA256:abc", PrivateKey: good.PrivateKey},
		"private_key": {HostKey: good.HostKey, PrivateKey: sdk.NewSecret("-----BEGIN")},
	} {
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want one about %s", err, want)
		}
	}
}

// The SDK promises that a storage plugin has at most 150 lines.
func TestPluginIsShort(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	must(t, err)
	lines := 0
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := os.Open(name)
		must(t, err)
		for s := bufio.NewScanner(f); s.Scan(); {
			lines++
		}
		must(t, f.Close())
	}
	if lines == 0 || lines > 150 {
		t.Errorf("the plugin has %d lines, want at most 150", lines)
	}
}
