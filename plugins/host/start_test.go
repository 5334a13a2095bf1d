package host_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/lmsvault/vault/plugins/host"
)

func terminating() []os.Signal {
	return []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
}

// Each error says what is wrong with the program, where, and what to do.
func TestStartErrors(t *testing.T) {
	dir := t.TempDir()
	script := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		write(t, path, content, mode)
		return path
	}
	for _, c := range []struct {
		name, path string
		early      string
		want       []string
	}{
		{"nothing there", filepath.Join(dir, "none"), "", []string{"plugin test was not started: " + filepath.Join(dir, "none") + " does not exist"}},
		{"a directory", dir, "", []string{"plugin test was not started", dir + " is a directory, not a program"}},
		{"not executable", script("text", "hello", 0o644), "", []string{"text is not executable", "chmod +x"}},
		{"a text", script("text2", "hello", 0o755), "", []string{"text2 is neither a program for this machine"}},
		{"no interpreter", script("orphan", "#!/opt/python9/bin/python\n", 0o755), "", []string{"orphan needs the interpreter \"/opt/python9/bin/python\", which does not exist"}},
		{"another program", "/bin/true", "", []string{"plugin test could not be started: it exited with code 0 before it was ready; is /bin/true a Vault plugin?"}},
		{"one that talks", "/bin/ls", "", []string{"it exited with code 0 before it was ready"}},
		{"one that fails", self(t).Path, "exit", []string{"it exited with code 7 before it was ready", "its last lines:\n  libfoo.so.3 is missing"}},
		{"one that is killed", self(t).Path, "leave", []string{"it was killed by signal 9 (perhaps out of memory) before it was ready"}},
		{"one that hangs", self(t).Path, "hang", []string{"it was not ready within 500ms"}},
		{"a newer protocol", script("newer", "#!/bin/sh\necho '1|2|unix|/tmp/x|grpc|'\nexec sleep 100\n", 0o755), "", []string{"uses version 2 of the protocol, this vault version 1; use a newer vault"}},
		{"an older protocol", script("older", "#!/bin/sh\necho '1|0|unix|/tmp/x|grpc|'\nexec sleep 100\n", 0o755), "", []string{"uses version 0 of the protocol", "use a newer version of the plugin"}},
		{"a plugin of another program", script("other", "#!/bin/sh\necho '1|1|unix|/tmp/x|netrpc|'\nexec sleep 100\n", 0o755), "", []string{"its first line is \"1|1|unix|/tmp/x|netrpc\", which is not that of a Vault plugin"}},
		{"one that others can connect to", script("tcp", "#!/bin/sh\necho '1|1|tcp|127.0.0.1:9|grpc|'\nexec sleep 100\n", 0o755), "", []string{"it listens at tcp 127.0.0.1:9; it must listen at a Unix socket in the directory PLUGIN_UNIX_SOCKET_DIR"}},
		{"one with a certificate", script("certified", "#!/bin/sh\necho \"1|1|unix|$PLUGIN_UNIX_SOCKET_DIR/x|grpc|"+certificate(t)+"|\"\nexec sleep 100\n", 0o755), "", []string{"it reported ready but does not respond"}},
		{"one whose handshake is too long", script("long", "#!/bin/sh\nprintf '1|1|unix|'\nhead -c 100000 /dev/zero | tr '\\0' x\necho\nexec sleep 100\n", 0o755), "", []string{"it was not ready within 500ms", "its last lines:\n  1|1|unix|xxx", "(cut)"}},
		{"one that does not listen", script("mute", "#!/bin/sh\necho \"1|1|unix|$PLUGIN_UNIX_SOCKET_DIR/x|grpc|\"\nexec sleep 100\n", 0o755), "", []string{"it reported ready but does not respond"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(early, c.early)
			folder := t.TempDir()
			h := host.New(host.Config{Log: slog.New(slog.DiscardHandler), Dir: folder, Start: 500 * time.Millisecond})
			began := time.Now()
			_, err := open(t, h, host.Program{Name: "test", Path: c.path, Env: []string{early}}, rogueConfig{})
			says(t, err, c.want...)
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("took %v", took)
			}
			empty(t, folder)
		})
	}
}

// certificate returns a certificate as in a go-plugin handshake for mutual TLS.
func certificate(t testing.TB) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawStdEncoding.EncodeToString(der)
}
