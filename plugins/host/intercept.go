package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lmsvault/vault/plugins/protocol"
)

// interceptors make of each call's error the one that the stage returned, or one
// that says what became of the plugin; and end calls that make no progress.
func (p *process) interceptors() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(p.unary),
		grpc.WithChainStreamInterceptor(p.streamed),
	}
}

// errStalled ends the context of a call that makes no progress.
var errStalled = errors.New("no progress")

func (p *process) stall() time.Duration { return cmp.Or(p.program.Stall, p.host.Stall) }

// lost is the error of a call that did not reach its end: the plugin is gone or
// was ended. The call may be repeated with another process.
type lost struct{ err error }

func (l *lost) Error() string { return l.err.Error() }
func (l *lost) Unwrap() error { return l.err }

// explain turns the error of a call into what a user needs.
func (p *process) explain(ctx context.Context, method string, err error, trailer metadata.MD) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	if errors.Is(context.Cause(ctx), errStalled) {
		if bad := p.child.Kill(ctx); bad != nil {
			err = errors.Join(err, bad)
		}
		return &lost{fmt.Errorf("plugin %s shows no progress for %v in %s, and was ended: %w%s", p.program.Name, p.stall(), method, errStalled, p.tail.said())}
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	decoded, ok := protocol.Decode(err, trailer)
	if ok {
		return decoded
	}
	if p.ends() {
		return &lost{p.gone(errors.New(method + " did not come to its end"))}
	}
	return fmt.Errorf("plugin %s: %s: %w", p.program.Name, method, err)
}

// ends tells whether the process has ended, or is about to.
func (p *process) ends() bool {
	for range 100 {
		if p.client.Exited() {
			return true
		}
		<-time.After(5 * time.Millisecond)
	}
	return false
}

func (p *process) unary(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, call grpc.UnaryInvoker, options ...grpc.CallOption) error {
	var trailer metadata.MD
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(p.stall(), func() { cancel(errStalled) })
	defer timer.Stop()
	err := call(ctx, method, req, reply, conn, append(options, grpc.Trailer(&trailer))...)
	return p.explain(ctx, method, err, trailer)
}

func (p *process) streamed(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s, err := open(ctx, desc, conn, method, options...)
	if err != nil {
		cancel(nil)
		return nil, p.explain(ctx, method, err, nil)
	}
	return &watched{ClientStream: s, ctx: ctx, process: p, method: method, cancel: cancel}, nil
}

// watched is a stream whose waits are limited.
type watched struct {
	grpc.ClientStream
	ctx     context.Context
	process *process
	method  string
	cancel  context.CancelCauseFunc
}

func (w *watched) RecvMsg(m any) error {
	timer := time.AfterFunc(w.process.stall(), func() { w.cancel(errStalled) })
	err := w.ClientStream.RecvMsg(m)
	timer.Stop()
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	err = w.process.explain(w.ctx, w.method, err, w.ClientStream.Trailer())
	w.cancel(nil)
	return err
}

// SendMsg returns io.EOF when the other side has ended the stream: RecvMsg tells why.
func (w *watched) SendMsg(m any) error {
	timer := time.AfterFunc(w.process.stall(), func() { w.cancel(errStalled) })
	err := w.ClientStream.SendMsg(m)
	timer.Stop()
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	err = w.process.explain(w.ctx, w.method, err, nil)
	w.cancel(nil)
	return err
}
