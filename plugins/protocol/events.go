package protocol

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// EventWriter is a stage.FileWriter that turns calls into the events of a unit; Rows
// returns a stage.RowWriter. Small events wait briefly so that several can be sent
// together. After an error every call, and End, returns that error. It is used by one
// goroutine.
type EventWriter struct {
	send   func(context.Context, *pb.UnitEvent) error
	tally  Tally
	failed error

	next  *pb.UnitEvent // the waiting events: the first, with the others in More
	size  int           // approximate size of the waiting events
	since time.Time     // when the first was added
}

// Events are sent together until they reach this size or wait this long. An event with more
// data than small does not wait.
const (
	together = 64 << 10
	wait     = 50 * time.Millisecond
	small    = 4 << 10
)

// NewEventWriter returns an EventWriter that sends with send, which must not keep the
// event.
func NewEventWriter(send func(context.Context, *pb.UnitEvent) error) *EventWriter {
	return &EventWriter{send: send}
}

// event sends the event made by make.
func (w *EventWriter) event(ctx context.Context, make func(*pb.UnitEvent) error) error {
	if w.failed != nil {
		return w.failed
	}
	if w.failed = ctx.Err(); w.failed != nil {
		return w.failed
	}
	m := &pb.UnitEvent{}
	if w.failed = make(m); w.failed != nil {
		return w.failed
	}
	w.tally.Items(1)
	if len(m.Data) > small {
		return w.alone(ctx, m)
	}
	m.Data = bytes.Clone(m.Data) // the caller may reuse it
	now := time.Now()
	if w.next == nil {
		w.next, w.since = m, now
	} else {
		w.next.More = append(w.next.More, m)
	}
	w.size += len(m.Data) + len(m.Open.GetPath()) + len(m.Same.GetPath()) + 256
	if w.size > together || now.Sub(w.since) > wait {
		return w.flush(ctx)
	}
	return nil
}

// alone sends an event by itself, after the waiting ones.
func (w *EventWriter) alone(ctx context.Context, m *pb.UnitEvent) error {
	if w.flush(ctx) == nil {
		w.failed = w.send(ctx, m)
	}
	return w.failed
}

func (w *EventWriter) flush(ctx context.Context) error {
	if m := w.next; m != nil && w.failed == nil {
		w.next, w.size = nil, 0
		w.failed = w.send(ctx, m)
	}
	return w.failed
}

// Open sends the start of an entry.
func (w *EventWriter) Open(ctx context.Context, e stage.Entry) error {
	return w.event(ctx, func(m *pb.UnitEvent) (err error) {
		m.Open, err = EntryMessage(e)
		return err
	})
}

// Write sends a piece of a file.
func (w *EventWriter) Write(ctx context.Context, data []byte) error {
	return w.chunk(ctx, stage.Chunk{Data: data})
}

// Rows returns a RowEventWriter that sends with w.
func (w *EventWriter) Rows() RowEventWriter { return RowEventWriter{w} }

// RowEventWriter is a stage.RowWriter that turns calls into the events of a unit.
type RowEventWriter struct{ events *EventWriter }

// Events returns the writer that it sends with.
func (w RowEventWriter) Events() *EventWriter { return w.events }

// Write sends a chunk.
func (w RowEventWriter) Write(ctx context.Context, c stage.Chunk) error {
	return w.events.chunk(ctx, c)
}

// Loss sends a loss.
func (w RowEventWriter) Loss(ctx context.Context, l stage.Loss) error { return w.events.Loss(ctx, l) }

// chunk sends a chunk in pieces.
func (w *EventWriter) chunk(ctx context.Context, c stage.Chunk) error {
	if len(c.Data) > MaxBlob {
		return fmt.Errorf("a row of %d bytes exceeds the limit of %d for another process", len(c.Data), MaxBlob)
	}
	data := c.Data
	for len(data) > FrameSize && w.failed == nil {
		if w.failed = ctx.Err(); w.failed == nil {
			w.tally.Data(data[:FrameSize])
			w.failed = w.alone(ctx, &pb.UnitEvent{Data: data[:FrameSize]})
			data = data[FrameSize:]
		}
	}
	return w.event(ctx, func(m *pb.UnitEvent) error {
		if c.Rows < 0 || c.Rows > math.MaxUint32 {
			return fmt.Errorf("a chunk of %d rows", c.Rows)
		}
		w.tally.Data(data)
		m.Data, m.Chunk = data, &pb.Chunk{Rows: uint32(c.Rows)}
		return nil
	})
}

// Close sends the end of an entry.
func (w *EventWriter) Close(ctx context.Context, d stage.Digest) error {
	return w.event(ctx, func(m *pb.UnitEvent) (err error) {
		m.Close, err = DigestMessage(d)
		return err
	})
}

// Same sends an unchanged file.
func (w *EventWriter) Same(ctx context.Context, e stage.Entry) error {
	return w.event(ctx, func(m *pb.UnitEvent) (err error) {
		m.Same, err = EntryMessage(e)
		return err
	})
}

// Drop undoes Open.
func (w *EventWriter) Drop(ctx context.Context) error {
	return w.event(ctx, func(m *pb.UnitEvent) error {
		m.Drop = true
		return nil
	})
}

// Loss sends a loss, without its row.
func (w *EventWriter) Loss(ctx context.Context, l stage.Loss) error {
	return w.event(ctx, func(m *pb.UnitEvent) (err error) {
		m.Loss, err = LossMessage(l)
		return err
	})
}

// Head sends the head of the events for a sink.
func (w *EventWriter) Head(ctx context.Context, instance uint64, u stage.Unit) error {
	unit, err := UnitMessage(u)
	if err == nil {
		err = w.send(ctx, &pb.UnitEvent{Head: &pb.UnitHead{Instance: instance, Unit: unit}})
	}
	w.failed = err
	return err
}

// End sends the end of the unit.
func (w *EventWriter) End(ctx context.Context) error {
	if w.next == nil {
		w.next = &pb.UnitEvent{}
	}
	w.next.End = w.tally.End()
	if err := w.flush(ctx); err != nil {
		return err
	}
	w.failed = errUnitEnded
	return nil
}

var errUnitEnded = errors.New("the unit has ended")

var (
	_ stage.FileWriter = (*EventWriter)(nil)
	_ stage.RowWriter  = RowEventWriter{}
)
