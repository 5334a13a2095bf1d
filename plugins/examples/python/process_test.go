package python_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/internal/machine"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// process is the example, started without a host so that the test can send anything.
type process struct {
	cmd      *exec.Cmd
	lifeline io.WriteCloser
	socket   string
	conn     *grpc.ClientConn
}

func start(t testing.TB) *process {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), archive(t))
	sockets, err := os.MkdirTemp("", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(sockets); err != nil {
			t.Error(err)
		}
	})
	h := protocol.Handshake()
	cmd.Env = append(os.Environ(), h.MagicCookieKey+"="+h.MagicCookieValue, "PLUGIN_UNIX_SOCKET_DIR="+sockets, "PLUGIN_PROTOCOL_VERSIONS=1")
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd}
	if p.lifeline, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.end(t) })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("handshake: %v", err)
	}
	words := strings.Split(strings.TrimSpace(line), "|")
	if len(words) < 5 || words[0] != "1" || words[1] != "1" || words[2] != "unix" || words[4] != "grpc" {
		t.Fatalf("handshake: %q", line)
	}
	p.socket = words[3]
	p.conn, err = grpc.NewClient("unix:"+p.socket, append(protocol.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// end ends the process once, as the exit of vault does.
func (p *process) end(t testing.TB) {
	t.Helper()
	if p.cmd.ProcessState != nil {
		return
	}
	if err := p.lifeline.Close(); err != nil {
		t.Error(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the plugin exits with %v", err)
	}
	if err := p.conn.Close(); err != nil {
		t.Error(err)
	}
}

// open opens a storage in a directory of its own.
func (p *process) open(t testing.TB) (id uint64, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "repository")
	encoded, err := config.Encode(&settings{dir})

	if err != nil {
		t.Fatal(err)
	}
	r, err := pb.NewPluginClient(p.conn).Open(t.Context(), &pb.OpenRequest{Stage: "directory", Role: pb.Role_ROLE_STORAGE, Settings: encoded})
	if err != nil {
		t.Fatal(err)
	}
	return r.Instance, dir
}

func TestExitsWithHostAndRemovesSocket(t *testing.T) {
	p := start(t)
	p.open(t)
	p.end(t)
	if _, err := os.Stat(p.socket); !os.IsNotExist(err) {
		t.Errorf("the socket remains: %v", err)
	}
}

func TestIgnoresSignals(t *testing.T) {
	p := start(t)
	for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if err := p.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	p.open(t)
}

func TestStartedByHandDescribesItself(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), archive(t)).Output()
	if err != nil || !strings.Contains(string(out), "is a Vault plugin") || !strings.Contains(string(out), "storage directory: Stores objects") {
		t.Errorf("%q, %v", out, err)
	}
}

func TestSettingsAreDescribed(t *testing.T) {
	d, err := pb.NewPluginClient(start(t).conn).Describe(t.Context(), &pb.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "directory" || len(d.Stages) != 1 || d.Stages[0].Role != pb.Role_ROLE_STORAGE {
		t.Fatalf("%v", d)
	}
	fields := protocol.Fields(d.Stages[0])
	if len(fields) != 1 || fields[0].Name != "dir" || !fields[0].Required || fields[0].Type != config.Text || fields[0].Place != "dir" {
		t.Errorf("%+v", fields)
	}
}

func TestInvalidSettingsAreReported(t *testing.T) {
	c := pb.NewPluginClient(start(t).conn)
	r, err := c.Validate(t.Context(), &pb.ValidateRequest{Stage: "directory", Role: pb.Role_ROLE_STORAGE, Settings: []byte(`{"dir":""}`)})
	if err != nil || len(r.Problems) != 1 || r.Problems[0].Key != "dir" {
		t.Errorf("%v, %v", r, err)
	}
}

// The generated messages match the current protocol.
func TestMessagesAreCurrent(t *testing.T) {
	protoc, err := exec.LookPath("protoc")
	if err != nil {
		machine.Missing(t, "protoc (apt install protobuf-compiler): %v", err)
	}
	version, err := exec.CommandContext(t.Context(), protoc, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(version), " 3.21.") {
		machine.Missing(t, "protoc 3.21, because other versions generate different code: %s", strings.TrimSpace(string(version)))
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), protoc, "-I", "../../protocol/v1", "--python_out="+dir, "plugin.proto").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, err := os.ReadFile(filepath.Join(dir, "plugin_pb2.py"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("plugin_pb2.py")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("plugin_pb2.py is out of date; run go generate ./plugins/examples/python")
	}
}

// Settings that the host would refuse cause an exception in the example. It is an error of
// the call, and the process continues.
func TestExceptionIsReported(t *testing.T) {
	p := start(t)
	_, err := pb.NewPluginClient(p.conn).Open(t.Context(), &pb.OpenRequest{Stage: "directory", Role: pb.Role_ROLE_STORAGE, Settings: []byte(`{"dir":7}`)})
	if err == nil || !strings.Contains(err.Error(), "exception in the stage: TypeError: ") {
		t.Errorf("%v", err)
	}
	p.open(t)
}
