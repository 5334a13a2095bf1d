package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// unitWriter sends a unit to a plugin's sink. Its methods don't wait for the plugin: an
// error of the plugin is returned by a later call or by Commit.
type unitWriter struct {
	*protocol.EventWriter
	sink   sink
	unit   stage.Unit
	stream grpc.BidiStreamingClient[pb.UnitEvent, pb.UnitResponse]
	cancel context.CancelFunc
	ended  bool // the plugin sends nothing more
}

// rowWriter is a unitWriter for rows.
type rowWriter struct {
	*unitWriter
	protocol.RowEventWriter
}

func (w rowWriter) Write(ctx context.Context, c stage.Chunk) error {
	return w.RowEventWriter.Write(ctx, c)
}
func (w rowWriter) Loss(ctx context.Context, l stage.Loss) error {
	return w.RowEventWriter.Loss(ctx, l)
}

func (s sink) WriteRows(ctx context.Context, u stage.Unit) (stage.RowUnit, error) {
	w, err := s.unit(ctx, u)
	if err != nil {
		return nil, err
	}
	return rowWriter{w, w.Rows()}, nil
}

func (s sink) WriteFiles(ctx context.Context, u stage.Unit) (stage.FileUnit, error) {
	w, err := s.unit(ctx, u)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (s sink) unit(ctx context.Context, u stage.Unit) (*unitWriter, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w := &unitWriter{sink: s, unit: u}
	w.EventWriter = protocol.NewEventWriter(w.send)
	err := s.do(ctx, func(c grpc.ClientConnInterface, id uint64) (err error) {
		var calls context.Context // each call has its own context, which also cancels the stream
		calls, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
		if w.stream, err = pb.NewSinkClient(c).Unit(calls); err == nil {
			err = w.Head(ctx, id, u)
		}
		if err != nil {
			w.cancel()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// send sends an event. If the plugin has ended the stream, it returns the stream's error.
func (w *unitWriter) send(ctx context.Context, m *pb.UnitEvent) error {
	stop := context.AfterFunc(ctx, w.cancel)
	defer stop()
	err := w.stream.Send(m)
	if errors.Is(err, io.EOF) {
		if _, err = w.stream.Recv(); err == nil || errors.Is(err, io.EOF) {
			err = fmt.Errorf("%w: answered before its end", protocol.ErrStream)
		}
	}
	if err == nil {
		return nil
	}
	return w.over(ctx, err)
}

// over ends the stream after an error and returns that error.
func (w *unitWriter) over(ctx context.Context, err error) error {
	w.ended = true
	w.cancel()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return w.sink.blame("unit "+w.unit.ID, err)
}

// Commit makes the plugin commit the unit. It is an error if there is no reply.
func (w *unitWriter) Commit(ctx context.Context) (*stage.Receipt, error) {
	if err := w.End(ctx); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, w.cancel)
	defer stop()
	err := w.stream.CloseSend()
	var r *stage.Receipt
	if err == nil {
		r, err = protocol.ReceiveReceipt(w.stream.Recv)
	}
	if err != nil {
		return nil, w.over(ctx, err)
	}
	w.ended = true
	w.cancel()
	return r, nil
}

// giveUp is how long a plugin may take to abort a unit by itself.
const giveUp = 2 * time.Second

// Abort ends the stream early and waits until the plugin has aborted the unit: in order or,
// after giveUp, by cancelling its context. The sink's next call in the plugin waits for
// that. A cancelled ctx is ignored.
func (w *unitWriter) Abort(context.Context) error {
	if w.ended {
		return nil
	}
	w.ended = true
	defer w.cancel()
	late := time.AfterFunc(giveUp, w.cancel)
	defer late.Stop()
	err := w.stream.CloseSend()
	for err == nil {
		_, err = w.stream.Recv()
	}
	if l := new(lost); errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) || errors.Is(err, protocol.ErrCanceled) || errors.As(err, &l) {
		return nil // the unit is gone with the process
	}
	return err
}
