package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/status"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/plugins/protocol"
)

// lost is the error of a call that was cut off because the process ended. The call may be
// repeated with another process.
type lost struct{ err error }

func (l *lost) Error() string { return l.err.Error() }
func (l *lost) Unwrap() error { return l.err }

// over reports whether the process can't be called any more.
func (p *process) over() bool {
	select {
	case <-p.ready:
	default:
		return false
	}
	if p.failed != nil {
		return true
	}
	p.mu.Lock()
	condemned := p.verdict != ""
	p.mu.Unlock()
	select {
	case <-p.child.done:
		return true
	default:
		return condemned
	}
}

func (p *process) kill() error {
	p.mu.Lock()
	c := p.child
	p.mu.Unlock()
	if c == nil {
		return nil
	}
	return c.kill()
}

// condemn kills the process and records the reason.
func (p *process) condemn(reason string) error {
	p.mu.Lock()
	if p.verdict == "" {
		p.verdict = reason
	}
	p.mu.Unlock()
	return p.kill()
}

// killed is how long a killed process may take to disappear.
const killed = 2 * time.Second

// ends waits until the process has ended or limit has passed, and reports whether it has
// ended.
func (p *process) ends(ctx context.Context, limit time.Duration) bool {
	wait := time.NewTimer(limit)
	defer wait.Stop()
	select {
	case <-p.child.done:
		return true
	case <-wait.C:
	case <-ctx.Done():
	}
	return false
}

// reason returns how the process ended, and in which call that was first noticed.
func (p *process) reason(call string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.verdict == "" {
		p.verdict = p.child.how()
		if call != "" {
			p.verdict += " in " + call
		}
	}
	return p.verdict
}

// gone returns the error of a call during which the process ended.
func (p *process) gone(call string) error {
	reason := p.reason(call)
	return &lost{fmt.Errorf("plugin %s %s%s", p.program.Name, reason, p.output.said())}
}

// listensElsewhere is the error for a plugin that others could connect to.
type listensElsewhere struct{ network, address string }

func (e *listensElsewhere) Error() string {
	return fmt.Sprintf("it listens at %.20s %.200s; it must listen at a Unix socket in the directory PLUGIN_UNIX_SOCKET_DIR", e.network, protocol.Printable(e.address))
}

// notStarted explains why the process failed to start. The process has ended.
func (p *process) notStarted(err error) error {
	c, name := p.child, p.program.Name
	say := func(format string, args ...any) error {
		return fmt.Errorf("plugin %s could not be started: %w%s", name, fmt.Errorf(format, args...), p.output.said())
	}
	line := c.handshake.said()
	var bad error
	if line != "" {
		bad = misfit(line)
	}
	var elsewhere *listensElsewhere
	switch {
	case bad != nil:
		return failure.Wrap(failure.Refused, say("%w", bad))
	case errors.As(err, &elsewhere):
		return failure.Wrap(failure.Refused, say("%w", elsewhere))
	case c.cmd.Process == nil:
		return p.program.unstartable(err)
	case !c.killed && line == "":
		return say("it %s before it was ready; is %s a Vault plugin?", c.how(), p.program.Path)
	case !c.killed:
		return say("it %s right after it started", c.how())
	case line == "":
		return say("it was not ready within %v; is %s a Vault plugin?", p.host.startTimeout(), p.program.Path)
	}
	return say("it reported ready but does not respond: %.500s", protocol.Printable(status.Convert(err).Message()))
}
