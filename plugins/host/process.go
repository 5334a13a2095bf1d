package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
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

const (
	// maxStarts is how often a program is started in a run.
	maxStarts = 5
	// firstPause is the pause before the second start; it doubles each time.
	firstPause = 100 * time.Millisecond
	// grace is how long a process may take to exit when asked to, and again when its
	// standard input is closed.
	grace = 750 * time.Millisecond
)

// process is one run of a program.
type process struct {
	host    *Host
	program Program
	nth     int // 1 for the first process of the program
	before  *process
	log     *slog.Logger
	output  *outputLog

	ctx    context.Context // ends when the process is no longer wanted
	cancel context.CancelFunc
	once   sync.Once
	ready  chan struct{} // closed when launch has returned; the fields below are valid then
	failed error
	client *goplugin.Client
	child  *child // nil if it was not created
	conn   *grpc.ClientConn
	dir    string // directory for its socket and temporary files

	mu      sync.Mutex
	verdict string       // why it was terminated, or how it ended and in which call
	ended   func() error // end, once
}

func newProcess(h *Host, p Program, before *process) *process {
	log := h.Log.With("plugin", p.Name)
	proc := &process{host: h, program: p, nth: 1, before: before, log: log, output: &outputLog{log: log}, ready: make(chan struct{})}
	proc.ctx, proc.cancel = context.WithCancel(context.Background())
	proc.ended = sync.OnceValue(proc.end)
	if before != nil {
		proc.nth = before.nth + 1
	}
	return proc
}

// start starts the process once for all callers.
func (p *process) start(ctx context.Context) error {
	go p.once.Do(func() {
		defer close(p.ready)
		p.failed = p.launch()
	})
	select {
	case <-p.ready:
		return p.failed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *process) launch() error {
	if err := p.follow(); err != nil {
		return err
	}
	exe, err := p.program.executable()
	if err != nil {
		return err
	}
	var socketDir string
	if p.dir, socketDir, err = p.host.folder.make(); err != nil {
		return errors.Join(err, closeAll(exe.files))
	}
	p.client = goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  protocol.Handshake(),
		Plugins:          goplugin.PluginSet{protocol.Name: &connection{}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		RunnerFunc: func(_ hclog.Logger, prepared *exec.Cmd, socketDir string) (runner.Runner, error) {
			return p.prepare(exe, prepared.Env, socketDir)
		},
		SkipHostEnv:      true,
		StartTimeout:     p.host.startTimeout(),
		Logger:           ownLogger(p.log),
		SyncStdout:       p.output,
		SyncStderr:       p.output,
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: socketDir},
		GRPCDialOptions:  append(protocol.DialOptions(), p.interceptors()...),
	})
	if err = p.connect(); err == nil {
		return nil
	}
	ended := p.ended()
	switch {
	case p.ctx.Err() != nil:
		return errEnded
	case p.child == nil:
		return errors.Join(p.program.refused("%w", err), ended, closeAll(exe.files))
	}
	return errors.Join(p.notStarted(err), ended)
}

// follow waits until the previous process is gone, plus a pause that grows each time.
func (p *process) follow() error {
	before := p.before
	if before == nil {
		return nil
	}
	p.before = nil
	p.host.keep(before.stop())
	if p.nth > maxStarts {
		switch {
		case before.nth > maxStarts:
			return before.failed
		case before.failed != nil:
			return fmt.Errorf("gave up after %d starts in this run: %w", maxStarts, before.failed)
		}
		return fmt.Errorf("plugin %s was started %d times in this run and is not restarted; most recently it %s%s", p.program.Name, maxStarts, before.reason(""), before.output.said())
	}
	if before.failed == nil {
		p.host.restarted(p.program, before.reason(""))
		p.log.Warn("restarting a plugin", "because", "it "+before.reason("")+before.output.said())
	}
	pause := time.NewTimer(firstPause << (p.nth - 2))
	defer pause.Stop()
	select {
	case <-pause.C:
		return nil
	case <-p.ctx.Done():
		return errEnded
	}
}

// prepare makes the child. go-plugin adds variables of its own to the environment.
func (p *process) prepare(exe executable, env []string, socketDir string) (*child, error) {
	cmd := &exec.Cmd{Path: exe.path, Args: append([]string{p.program.Name}, p.program.Args...)}
	given, withheld := environment(p.program.Env, p.dir)
	cmd.Env = append(given, env...)
	if len(withheld) > 0 {
		p.log.Warn("not passing variables with a password to the plugin; name them in env to pass them", "variables", strings.Join(withheld, " "))
	}
	c, err := newChild(cmd, socketDir, p.output, exe.files...)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.child = c
	p.mu.Unlock()
	if p.ctx.Err() != nil {
		return c, c.kill()
	}
	return c, nil
}

// connect starts the child and checks that it answers.
func (p *process) connect() error {
	defer context.AfterFunc(p.ctx, func() { p.host.keep(p.kill()) })()
	rpc, err := p.client.Client()
	if err != nil {
		return err
	}
	made, err := rpc.Dispense(protocol.Name)
	if err != nil {
		return err
	}
	conn, ok := made.(*grpc.ClientConn)
	if !ok {
		return fmt.Errorf("unexpected client of type %T", made)
	}
	p.conn = conn
	ctx, cancel := context.WithTimeout(p.ctx, p.host.startTimeout())
	defer cancel()
	return p.ping(ctx)
}

// stop terminates the process, whatever its state.
func (p *process) stop() error {
	p.cancel()
	p.once.Do(func() {
		defer close(p.ready)
		p.failed = errEnded
	})
	<-p.ready
	return p.ended()
}

// end asks the process to exit, kills it if necessary, and removes its files.
func (p *process) end() (err error) {
	if p.client != nil && p.child != nil && p.child.ID() != "" {
		kill := time.AfterFunc(2*grace, func() { p.host.keep(p.child.kill()) })
		release := time.AfterFunc(grace, func() { p.host.keep(p.child.release()) })
		p.client.Kill()
		release.Stop()
		kill.Stop()
		err = p.child.kill()
		<-p.child.done
		err = errors.Join(err, p.child.err, p.output.err)
	}
	if p.dir != "" {
		err = errors.Join(err, os.RemoveAll(p.dir))
	}
	if err != nil {
		err = fmt.Errorf("terminating plugin %s: %w", p.program.Name, err)
	}
	return err
}
