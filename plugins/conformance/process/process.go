package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

const (
	startLimit = 20 * time.Second // to be ready
	endLimit   = 3 * time.Second  // to exit
	handLimit  = 5 * time.Second  // to say what it is
)

// process is the program, started as the host starts it, in its own process group and
// session and therefore without a terminal.
type process struct {
	cmd      *exec.Cmd
	lifeline io.WriteCloser
	said     *tail
	line     chan string   // first line of standard output; closed when there are no more
	done     chan struct{} // closed when the process has exited
	temp     string        // its TMPDIR
	sockets  string
	conn     *grpc.ClientConn // nil until connect
}

// start starts the program with the protocol versions and, unless byHand, with the cookie.
func (s Subject) start(t testing.TB, byHand bool, versions string) *process {
	t.Helper()
	p := &process{said: &tail{}, line: make(chan string, 1), done: make(chan struct{}), temp: t.TempDir(), sockets: short(t)}
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), s.Path, s.Args...)
	p.cmd.Env = s.environment(p.temp)
	if h := protocol.Handshake(); !byHand {
		p.cmd.Env = append(p.cmd.Env, h.MagicCookieKey+"="+h.MagicCookieValue, "PLUGIN_PROTOCOL_VERSIONS="+versions,
			"PLUGIN_UNIX_SOCKET_DIR="+p.sockets)
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	p.cmd.Stderr = p.said
	p.cmd.WaitDelay = time.Second
	out, writer, err := os.Pipe()
	if err == nil {
		p.cmd.Stdout = writer
		p.lifeline, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err := errors.Join(err, writer.Close()); err != nil {
		t.Fatalf("starting %s: %v", s.Path, err)
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		defer close(p.line)
		in := bufio.NewReader(out)
		line, err := in.ReadString('\n')
		if line != "" {
			p.line <- strings.TrimSuffix(line, "\n")
		}
		if err == nil {
			_, err = io.Copy(p.said, in)
		}
		if err := errors.Join(ignore(err, io.EOF), out.Close()); err != nil {
			t.Errorf("reading the program's output: %v", err)
		}
	}()
	go func() {
		defer close(p.done)
		if err := p.cmd.Wait(); err != nil && p.cmd.ProcessState == nil {
			t.Errorf("waiting for the program: %v", err)
		}
		<-heard
	}()
	t.Cleanup(func() { p.kill(t) })
	return p
}

func ignore(err, what error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}

// environment returns the environment of the program, as set by package host.
func (s Subject) environment(temp string) []string {
	env := []string{"TMPDIR=" + temp, "PYTHONDONTWRITEBYTECODE=1"}
	for _, name := range append([]string{"PATH", "HOME", "USER", "LOGNAME", "TZ", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "SSL_CERT_FILE", "SSL_CERT_DIR"}, s.Env...) {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// short makes a directory whose path is short enough for a socket.
func short(t testing.TB) string {
	t.Helper()
	if dir := t.TempDir(); len(dir) < 50 {
		return dir
	}
	dir, err := os.MkdirTemp("/tmp", "vault-")
	if err != nil {
		t.Fatalf("making a directory for a socket: %v", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("removing the directory of the socket: %v", err)
		}
	})
	return dir
}

// greeted returns the program's first line, or "" if it exited without one.
func (p *process) greeted(t testing.TB) string {
	t.Helper()
	select {
	case line := <-p.line:
		return line
	case <-time.After(startLimit):
		t.Fatalf("no handshake within %v%s", startLimit, p.said)
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
	return ""
}

// connect reads the handshake and connects.
func (p *process) connect(t testing.TB) {
	t.Helper()
	line := p.greeted(t)
	words := append(strings.Split(line, "|"), "", "", "", "")
	if words[0] != "1" || words[1] != "1" || words[2] != "unix" || words[4] != "grpc" {
		t.Fatalf("its first line is %q, must be like %q%s", line, "1|1|unix|/path/of/socket|grpc|", p.said)
	}
	if filepath.Dir(words[3]) != p.sockets {
		t.Fatalf("it listens at %s, which is not in the directory PLUGIN_UNIX_SOCKET_DIR", words[3])
	}
	options := append(protocol.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", words[3])
		}))
	conn, err := grpc.NewClient("passthrough:plugin", options...)
	if err != nil {
		t.Fatalf("connecting: %v", err)
	}
	p.conn = conn
}

// running starts the program and connects to it.
func (s Subject) running(t testing.TB) *process {
	t.Helper()
	p := s.start(t, false, "1")
	p.connect(t)
	return p
}

func (p *process) plugin() pb.PluginClient { return pb.NewPluginClient(p.conn) }

// request returns an Open request of the stage with valid settings.
func (s Subject) request(t testing.TB) *pb.OpenRequest {
	t.Helper()
	cfg, err := s.Config()
	if err != nil {
		t.Fatalf("the settings: %v", err)
	}
	encoded, err := config.Encode(cfg)
	if err != nil {
		t.Fatalf("the settings: %v", err)
	}
	return &pb.OpenRequest{Stage: s.Stage.Name, Role: roleOf(s.Stage), Settings: encoded, TempDir: t.TempDir(), Workers: 4}
}

// open opens an instance of the stage.
func (s Subject) open(t testing.TB, p *process) uint64 {
	t.Helper()
	r, err := p.plugin().Open(t.Context(), s.request(t))
	if err != nil {
		t.Fatalf("opening the stage: %v%s", err, p.said)
	}
	return r.Instance
}

// ended reports whether the process exits within limit.
func (p *process) ended(limit time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(limit):
		return false
	}
}

// lives fails the test if the process exited after a call with this result.
func (p *process) lives(t testing.TB, what string, err error) {
	t.Helper()
	if status.Code(err) == codes.Unavailable && p.ended(endLimit) {
		t.Fatalf("%s terminates the program%s", what, p.said)
	}
}

// gone closes all connections of the process to its host.
func (p *process) gone(t testing.TB) {
	t.Helper()
	if err := ignore(p.lifeline.Close(), os.ErrClosed); err != nil {
		t.Errorf("closing its standard input: %v", err)
	}
	if p.conn == nil {
		return
	}
	if err := p.conn.Close(); err != nil {
		t.Errorf("closing the connection: %v", err)
	}
	p.conn = nil
}

func (p *process) kill(t testing.TB) {
	p.gone(t)
	if err := ignore(syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL), syscall.ESRCH); err != nil && !errors.Is(err, syscall.EPERM) {
		t.Errorf("killing the program: %v", err)
	}
	<-p.done
}

// tail keeps the beginning of a program's output.
type tail struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const maxSaid = 4 << 10

func (l *tail) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if room := maxSaid - l.text.Len(); room > 0 {
		l.text.Write(b[:min(room, len(b))])
	}
	return len(b), nil
}

// String returns the output, formatted to end a message.
func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text.Len() == 0 {
		return ""
	}
	return "; its output: " + strings.TrimSpace(l.text.String())
}
