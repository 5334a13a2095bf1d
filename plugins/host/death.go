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

// lost is the error of a call that did not reach its end: the plugin is gone or
// was ended. The call may be repeated with another process.
type lost struct{ err error }

func (l *lost) Error() string { return l.err.Error() }
func (l *lost) Unwrap() error { return l.err }

// over tells whether the process can't be called any more.
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

// condemn ends the process for a reason.
func (p *process) condemn(reason string) error {
	p.mu.Lock()
	if p.verdict == "" {
		p.verdict = reason
	}
	p.mu.Unlock()
	return p.kill()
}

// killed is how long the system may take to end a killed process.
const killed = 2 * time.Second

// ends waits until the process has ended, at most for so long.
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

// reason tells how the process ended, and in which call that was seen first.
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

// gone is the error of a call that met the end of the process.
func (p *process) gone(call string) error {
	reason := p.reason(call)
	return &lost{fmt.Errorf("plugin %s %s%s", p.program.Name, reason, p.output.said())}
}

// listensElsewhere is the error of a plugin that others could talk to.
type listensElsewhere struct{ network, address string }

func (e *listensElsewhere) Error() string {
	return fmt.Sprintf("it listens at %.20s %.200s, and must listen at a Unix socket in the folder that PLUGIN_UNIX_SOCKET_DIR names", e.network, protocol.Printable(e.address))
}

// notStarted says in plain words why the process is not there. It has ended by now.
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
		return say("it %s before it said that it is ready; is %s a plugin of Vault?", c.how(), p.program.Path)
	case !c.killed:
		return say("it %s when it had just begun", c.how())
	case line == "":
		return say("it did not say within %v that it is ready; is %s a plugin of Vault?", p.host.startTimeout(), p.program.Path)
	}
	return say("it said that it is ready, and does not answer: %.500s", protocol.Printable(status.Convert(err).Message()))
}
