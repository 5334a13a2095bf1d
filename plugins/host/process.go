package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/lmsvault/vault/plugins/protocol"
)

// startTimeout is how long a plugin may take to say that it is ready.
const startTimeout = 20 * time.Second

// maxStarts is how often a program is started again after it ended by itself.
const maxStarts = 4

// process is one run of a program.
type process struct {
	host    *Host
	program Program
	nth     int // 1 for the first run of the program
	log     *slog.Logger
	tail    *tail

	once   sync.Once
	failed error
	client *goplugin.Client
	child  *child
	conn   *grpc.ClientConn
}

func newProcess(h *Host, p Program, before *process) *process {
	proc := &process{host: h, program: p, nth: 1, log: h.Log.With("plugin", p.Name), tail: &tail{}}
	if before != nil {
		proc.nth = before.nth + 1
	}
	return proc
}

// start starts the process once, for all who wait.
func (p *process) start(context.Context) error {
	p.once.Do(func() { p.failed = p.launch() })
	return p.failed
}

func (p *process) launch() error {
	if p.nth > maxStarts {
		return fmt.Errorf("plugin %s ended by itself %d times: it is not started again", p.program.Name, maxStarts)
	}
	p.client = goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  protocol.Handshake(),
		Plugins:          goplugin.PluginSet{protocol.Name: &connection{}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		RunnerFunc:       p.run,
		SkipHostEnv:      true,
		StartTimeout:     startTimeout,
		Logger:           logger(p.log),
		Stderr:           p.tail,
		SyncStdout:       strays{p.stray},
		SyncStderr:       strays{p.stray},
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: p.host.Dir},
		GRPCDialOptions:  append(protocol.DialOptions(), p.interceptors()...),
	})
	rpc, err := p.client.Client()
	if err != nil {
		p.client.Kill()
		return p.notStarted(err)
	}
	made, err := rpc.Dispense(protocol.Name)
	if err != nil {
		p.client.Kill()
		return p.notStarted(err)
	}
	conn, ok := made.(*grpc.ClientConn)
	if !ok {
		return fmt.Errorf("plugin %s: a %T in place of a connection", p.program.Name, made)
	}
	p.conn = conn
	return nil
}

// run makes the child of the command that go-plugin has prepared.
func (p *process) run(_ hclog.Logger, prepared *exec.Cmd, _ string) (runner.Runner, error) {
	cmd := exec.Command(p.program.Path, p.program.Args...)
	cmd.Env = append(environment(p.program.Env, p.host.Dir), prepared.Env...)
	var err error
	p.child, err = newChild(cmd, p.stray)
	return p.child, err
}

// stray takes a line that the plugin printed where nothing should be.
func (p *process) stray(line string) {
	if line = strings.TrimSpace(line); line != "" {
		p.log.Info(line, "stream", "stdout")
	}
}

// strays makes a Writer of a function that takes lines.
type strays struct{ line func(string) }

func (s strays) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		s.line(line)
	}
	return len(b), nil
}

func (p *process) notStarted(err error) error {
	return fmt.Errorf("plugin %s could not be started: %w%s", p.program.Name, err, p.tail.said())
}

func (p *process) exited() bool { return p.client != nil && p.client.Exited() }

// gone explains that the process has ended.
func (p *process) gone(err error) error {
	how := "ended unexpectedly"
	if p.child != nil && p.child.cmd.ProcessState != nil {
		how += " (" + p.child.cmd.ProcessState.String() + ")"
	}
	return fmt.Errorf("plugin %s %s: %w%s", p.program.Name, how, err, p.tail.said())
}

func (p *process) stop() error {
	if p.client != nil {
		p.client.Kill()
	}
	return nil
}

// connection is the host's side of the plugin for go-plugin: the connection itself.
type connection struct {
	goplugin.NetRPCUnsupportedPlugin
}

var errPluginSide = errors.New("the plugin's side is in package sdk")

func (connection) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return errPluginSide }

func (connection) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return c, nil
}

var _ io.Writer = strays{}
