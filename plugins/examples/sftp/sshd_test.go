package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/lmsvault/vault/internal/machine"
	"github.com/lmsvault/vault/plugins/sdk"
)

// sshd is OpenSSH's server. The test listens and starts an sshd process for each
// connection.
type sshd struct {
	settings settings // settings of a stage that can log in
	path     string
	file     string

	mu          sync.Mutex
	connections map[*exec.Cmd]net.Conn
	accepted    int
}

// serve starts a server with additional configuration lines.
func serve(t testing.TB, lines string) *sshd {
	t.Helper()
	s := &sshd{path: "/usr/sbin/sshd", connections: map[*exec.Cmd]net.Conn{}}
	if _, err := os.Stat(s.path); err != nil {
		machine.Missing(t, "the OpenSSH server (apt install openssh-server): %v", err)
	}
	if os.Getuid() == 0 {
		must(t, os.MkdirAll("/run/sshd", 0o755)) // sshd as root needs it for privilege separation
	}
	me, err := user.Current()
	must(t, err)
	dir := t.TempDir()
	host, hostPEM := key(t)
	ours, oursPEM := key(t)
	must(t, os.WriteFile(filepath.Join(dir, "host"), hostPEM, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "authorized"), ssh.MarshalAuthorizedKey(ours), 0o600))
	s.file = filepath.Join(dir, "sshd_config")
	must(t, os.WriteFile(s.file, fmt.Appendf(nil, "HostKey %[1]s/host\nAuthorizedKeysFile %[1]s/authorized\nStrictModes no\nUsePAM no\nPidFile none\n%s\n", dir, lines), 0o600))

	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s.settings = settings{
		Host: l.Addr().String(), HostKey: line(host),
		User: me.Username, PrivateKey: sdk.NewSecret(string(oursPEM)), Dir: filepath.Join(dir, "repository"),
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				err = s.take(conn, &wg)
			}
			if err != nil {
				t.Errorf("sshd: %v", err)
				return
			}
		}
	})
	t.Cleanup(func() {
		must(t, l.Close())
		s.drop(t)
		wg.Wait()
	})
	return s
}

// take passes a connection to a process.
func (s *sshd) take(conn net.Conn, wg *sync.WaitGroup) error {
	socket, err := conn.(*net.TCPConn).File()
	if err != nil {
		return err
	}
	cmd := exec.Command(s.path, "-i", "-e", "-f", s.file)
	cmd.Stdin, cmd.Stdout = socket, socket
	if err := errors.Join(cmd.Start(), socket.Close()); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections[cmd] = conn
	s.accepted++
	wg.Go(func() {
		_ = cmd.Wait() // it fails for a dropped connection
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.connections, cmd)
		_ = conn.Close()
	})
	return nil
}

// drop closes all connections.
func (s *sshd) drop(t testing.TB) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.connections {
		must(t, conn.(*net.TCPConn).CloseRead())
		must(t, conn.(*net.TCPConn).CloseWrite())
	}
}

// key makes a key pair.
func key(t testing.TB) (ssh.PublicKey, []byte) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	p, err := ssh.NewPublicKey(public)
	must(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	must(t, err)
	return p, pem.EncodeToMemory(block)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// line returns a public key as written by ssh-keygen.
func line(k ssh.PublicKey) string { return string(ssh.MarshalAuthorizedKey(k)) }
