package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/lmsvault/vault/plugins/protocol"
)

// interceptors replaces the error of each call by the one that the stage returned or one
// that describes the plugin's end, and terminates calls that make no progress.
func (p *process) interceptors() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(p.unary),
		grpc.WithChainStreamInterceptor(p.streamed),
	}
}

// callOf returns the short name of a method of the protocol, such as Storage.Put; ok is
// false for methods of go-plugin and gRPC.
func callOf(method string) (call string, ok bool) {
	call, ok = strings.CutPrefix(method, "/vault.plugin.v1.")
	return strings.ReplaceAll(call, "/", "."), ok
}

// explain turns the error of a call into one for users.
func (p *process) explain(ctx context.Context, call string, err error, trailer metadata.MD) error {
	hung := new(stalled)
	if code := status.Code(err); code == codes.DeadlineExceeded || code == codes.Canceled {
		// The plugin has the same deadline, and may notice it first.
		if end, ok := ctx.Deadline(); ok && time.Until(end) < 100*time.Millisecond {
			<-ctx.Done()
		}
	}
	switch {
	case errors.As(context.Cause(ctx), &hung):
		bad := p.condemn(fmt.Sprintf("showed %v in %s and was terminated", hung, call))
		p.ends(context.WithoutCancel(ctx), killed)
		p.host.keep(bad)
		return p.gone(call)
	case ctx.Err() != nil:
		return ctx.Err()
	case p.host.hasEnded():
		return errEnded
	}
	decoded, ok := protocol.Decode(err, trailer)
	s := status.Convert(err)
	if ok && (s.Code() != codes.Canceled || protocol.OfStage(trailer)) {
		return p.output.secrets.Error(decoded)
	}
	if s.Code() == codes.Canceled { // not cancelled by us: the connection was closed
		return p.broken(ctx, call)
	}
	text := p.output.secrets.Redact(status.Convert(decoded).Message())
	if s.Code() != codes.Unavailable && p.conn.GetState() == connectivity.Ready {
		return fmt.Errorf("plugin %s: %s: %s (%v)", p.program.Name, call, text, s.Code())
	}
	if p.ends(ctx, time.Second) || ctx.Err() == nil && p.conn.GetState() != connectivity.Ready {
		return p.broken(ctx, call)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("plugin %s: %s: %s", p.program.Name, call, text)
}

// broken returns the error of a call that lost its connection.
func (p *process) broken(ctx context.Context, call string) error {
	select {
	case <-p.child.done:
	default: // a process without a connection is useless
		p.host.keep(p.condemn("closed its connection in " + call + " and was terminated"))
		p.ends(context.WithoutCancel(ctx), killed)
	}
	return p.gone(call)
}

func (p *process) unary(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	call, ok := callOf(method)
	if !ok {
		return invoke(ctx, method, req, reply, conn, options...)
	}
	if p.over() {
		return p.gone(call)
	}
	var trailer metadata.MD
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	wait := p.wait(ctx, cancel, call, long(call))
	err := invoke(ctx, method, req, reply, conn, append(options, grpc.Trailer(&trailer))...)
	wait.end()
	if err == nil {
		return nil
	}
	return p.explain(ctx, call, err, trailer)
}

func (p *process) streamed(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	call, ok := callOf(method)
	if !ok {
		return open(ctx, desc, conn, method, options...)
	}
	if p.over() {
		return nil, p.gone(call)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	wait := p.wait(ctx, cancel, call, long(call))
	s, err := open(ctx, desc, conn, method, options...)
	wait.end()
	if err != nil {
		err = p.explain(ctx, call, err, nil)
		cancel(nil)
		return nil, err
	}
	return &watched{ClientStream: s, ctx: ctx, process: p, call: call, desc: desc, cancel: cancel}, nil
}

// watched is a stream that limits the time to wait for the plugin. The host sends
// everything before it receives, so only the plugin can cause a wait.
type watched struct {
	grpc.ClientStream
	ctx      context.Context
	process  *process
	call     string
	desc     *grpc.StreamDesc
	cancel   context.CancelCauseFunc
	answered bool
}

func (w *watched) RecvMsg(m any) error {
	wait := w.process.wait(w.ctx, w.cancel, w.call, long(w.call) || !w.answered && longFirst(w.call))
	err := w.ClientStream.RecvMsg(m)
	wait.end()
	w.answered = true
	if err == nil && w.desc.ServerStreams {
		return nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = w.process.explain(w.ctx, w.call, err, w.Trailer())
	}
	w.cancel(nil)
	return err
}

// SendMsg returns io.EOF if the plugin has ended the stream; RecvMsg then returns the
// reason.
func (w *watched) SendMsg(m any) error {
	wait := w.process.wait(w.ctx, w.cancel, w.call, long(w.call))
	err := w.ClientStream.SendMsg(m)
	wait.end()
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	err = w.process.explain(w.ctx, w.call, err, nil)
	w.cancel(nil)
	return err
}
