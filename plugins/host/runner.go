package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"

	"github.com/hashicorp/go-plugin/runner"
)

// child is a plugin's process as go-plugin's runner. Its group is its own, so that
// a signal from the terminal reaches only the host; its standard input is a pipe
// whose other end nobody but the host holds: it ends when the host does.
type child struct {
	cmd      *exec.Cmd
	lifeline *os.File
	stdout   io.ReadCloser
	stderr   io.ReadCloser
	closing  []io.Closer // of the parent's after the start

	wait   sync.Once
	waited error
}

// newChild prepares the process; stray gets what it prints beside the handshake.
func newChild(cmd *exec.Cmd, stray func(line string)) (_ *child, err error) {
	c := &child{cmd: cmd}
	in, lifeline, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c.lifeline = lifeline
	c.closing = append(c.closing, in)
	cmd.Stdin = in
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.stdout = newGreeting(out, stray)
	c.stderr, err = cmd.StderrPipe()
	return c, err
}

func (c *child) Start(context.Context) error {
	err := c.cmd.Start()
	for _, f := range c.closing {
		err = errors.Join(err, f.Close())
	}
	return err
}

func (c *child) Diagnose(context.Context) string { return "" }
func (c *child) Stdout() io.ReadCloser           { return c.stdout }
func (c *child) Stderr() io.ReadCloser           { return c.stderr }
func (c *child) Name() string                    { return c.cmd.Path }

func (c *child) ID() string {
	if c.cmd.Process == nil {
		return ""
	}
	return strconv.Itoa(c.cmd.Process.Pid)
}

// Wait waits for the process's end.
func (c *child) Wait(context.Context) error {
	c.wait.Do(func() {
		c.waited = errors.Join(c.cmd.Wait(), c.lifeline.Close())
	})
	return c.waited
}

// Kill kills the process and all that it has started and not put elsewhere.
func (c *child) Kill(context.Context) error {
	if c.cmd.Process == nil {
		return nil
	}
	if err := syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("ending the process %d: %w", c.cmd.Process.Pid, err)
	}
	return nil
}

func (c *child) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

func (c *child) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

var _ runner.Runner = (*child)(nil)
