package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin/runner"
)

// drained is how long output is read after the process has exited. Its child processes may
// keep the pipes open.
const drained = time.Second

// child is a plugin's process, as a runner of go-plugin. It has its own process group, so
// that a signal from the terminal reaches only the host. Its standard input is a pipe whose
// other end only the host holds, so that it is closed when the host exits.
type child struct {
	cmd       *exec.Cmd
	handshake *handshake
	output    *outputLog
	socketDir string

	lifeline    *os.File   // the host's end of standard input
	out, errors *os.File   // the host's ends of the output pipes
	theirs      []*os.File // the child's ends, closed here after the start

	mu     sync.Mutex
	killed bool // killed by us before it exited
	ended  bool
	done   chan struct{} // closed when the process has exited and all output was read
	err    error         // valid when done is closed
}

// newChild prepares the process. files are open in it as descriptors 3 and up; the child
// owns them from here.
func newChild(cmd *exec.Cmd, socketDir string, v *outputLog, files ...*os.File) (*child, error) {
	c := &child{cmd: cmd, handshake: newHandshake(v.stdout), output: v, socketDir: socketDir, theirs: files, done: make(chan struct{})}
	cmd.ExtraFiles = files
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, lifeline, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, closeAll(files))
	}
	c.lifeline, c.theirs, cmd.Stdin = lifeline, append(c.theirs, in), in
	for _, s := range []struct {
		ours *(*os.File)
		end  *io.Writer
	}{{&c.out, &cmd.Stdout}, {&c.errors, &cmd.Stderr}} {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, errors.Join(err, closeAll(c.theirs), closeAll(c.ours()))
		}
		*s.ours, *s.end = r, w
		c.theirs = append(c.theirs, w)
	}
	return c, nil
}

func (c *child) ours() []*os.File { return []*os.File{c.lifeline, c.out, c.errors} }

func closeAll(files []*os.File) error {
	var errs []error
	for _, f := range files {
		if f == nil {
			continue
		}
		if err := f.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (c *child) Start(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := errEnded
	if !c.killed {
		err = c.cmd.Start()
	}
	bad := closeAll(c.theirs)
	if err != nil {
		c.ended = true
		close(c.done)
		return errors.Join(err, bad, closeAll(c.ours()), c.handshake.writer.Close())
	}
	go c.attend(bad)
	return nil
}

// attend reads the output until the process has exited, and kills its remaining child
// processes.
func (c *child) attend(err error) {
	defer close(c.done)
	heard := make(chan error, 2)
	go func() { heard <- lines(c.out, c.handshake.hear) }()
	go func() { heard <- lines(c.errors, c.output.stderr) }()
	waited := c.cmd.Wait()
	if exit := new(exec.ExitError); errors.As(waited, &exit) {
		waited = nil // see ProcessState
	}
	c.mu.Lock()
	err = errors.Join(err, waited, c.signal())
	c.ended = true
	c.mu.Unlock()
	limit := time.Now().Add(drained)
	err = errors.Join(err, c.out.SetReadDeadline(limit), c.errors.SetReadDeadline(limit))
	for range cap(heard) {
		if e := <-heard; !errors.Is(e, os.ErrDeadlineExceeded) {
			err = errors.Join(err, e)
		}
	}
	// go-plugin learns of the exit only now, so that it never kills a process that is
	// exiting.
	c.err = errors.Join(err, c.handshake.writer.Close(), closeAll(c.ours()))
}

// signal kills the process group.
func (c *child) signal() error {
	err := syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	if err == nil || errors.Is(err, syscall.ESRCH) || c.cmd.ProcessState != nil && errors.Is(err, syscall.EPERM) {
		return nil
	}
	return fmt.Errorf("killing process %d: %w", c.cmd.Process.Pid, err)
}

// kill kills the process, or prevents its start.
func (c *child) kill() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return nil
	}
	c.killed = true
	if c.cmd.Process == nil {
		return nil
	}
	return c.signal()
}

// release closes standard input, so that a process which waits for that exits.
func (c *child) release() error { return closeAll([]*os.File{c.lifeline}) }

// how describes how the process ended. Call it only after done is closed.
func (c *child) how() string {
	if c.cmd.ProcessState == nil {
		return "did not start"
	}
	status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case ok && status.Signaled() && status.Signal() == syscall.SIGKILL:
		return "was killed by signal 9 (perhaps out of memory)"
	case ok && status.Signaled():
		return fmt.Sprintf("was terminated by signal %d (%v)", int(status.Signal()), status.Signal())
	}
	return fmt.Sprintf("exited with code %d", c.cmd.ProcessState.ExitCode())
}

// Wait waits for the exit of the process. It returns no error to go-plugin.
func (c *child) Wait(context.Context) error {
	<-c.done
	return nil
}

// Kill is called by go-plugin when it gives up; it then no longer reads the handshake.
func (c *child) Kill(context.Context) error {
	return errors.Join(c.handshake.reader.Close(), c.kill())
}

func (c *child) Diagnose(context.Context) string { return "" }
func (c *child) Stdout() io.ReadCloser           { return c.handshake.reader }
func (c *child) Name() string                    { return c.cmd.Path }

// Stderr returns an empty reader. Package host reads standard error itself, because
// go-plugin logs plain lines at debug level and splits long ones.
func (c *child) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

func (c *child) ID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd.Process == nil {
		return ""
	}
	return strconv.Itoa(c.cmd.Process.Pid)
}

// PluginToHost checks where the plugin listens: nobody else may be able to connect to it.
func (c *child) PluginToHost(network, address string) (string, string, error) {
	if network != "unix" || filepath.Dir(address) != c.socketDir {
		return "", "", &listensElsewhere{network, address}
	}
	return network, address, nil
}

func (c *child) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

var _ runner.Runner = (*child)(nil)
