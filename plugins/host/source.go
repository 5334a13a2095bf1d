package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// source is a stage.Source that calls a plugin.
type source struct {
	*instance
	parts []string

	mu    sync.Mutex
	ended error // error of the first read that the host cut off
}

func (s *source) Plan(ctx context.Context, r stage.PlanRequest) (i *stage.Inventory, err error) {
	err = s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := pb.NewSourceClient(c).Plan(ctx, &pb.PlanRequest{Instance: id, Pipeline: r.Pipeline, Selection: protocol.SelectionMessage(&r.Selection)})
		if err != nil {
			return err
		}
		if i, err = protocol.ReceiveInventory(stream.Recv); err != nil {
			return s.blame("plan", err)
		}
		for _, u := range i.Units {
			if !slices.Contains(s.parts, u.Part) {
				return s.blame("plan", fmt.Errorf("%w: unit %s has part %q, the stage declares %q", protocol.ErrContract, u.ID, u.Part, s.parts))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return i, nil
}

func (s *source) ReadRows(ctx context.Context, r stage.ReadRequest, w stage.RowWriter) error {
	return s.read(ctx, r, &protocol.Replayer{Unit: r.Unit, Rows: w})
}

func (s *source) ReadFiles(ctx context.Context, r stage.ReadRequest, w stage.FileWriter) error {
	return s.read(ctx, r, &protocol.Replayer{Unit: r.Unit, To: w, Same: func(e stage.Entry) bool {
		fingerprint, ok := r.Baseline[e.Path]
		return ok && fingerprint != "" && fingerprint == e.Fingerprint
	}})
}

// read passes on events that keep the contract of writers, and stops at the first that
// doesn't.
func (s *source) read(ctx context.Context, r stage.ReadRequest, p *protocol.Replayer) error {
	return s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		calls, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := pb.NewSourceClient(c).Read(calls)
		if err != nil {
			return err
		}
		err = protocol.SendRead(id, r, stream.Send)
		if err == nil {
			err = stream.CloseSend()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		recv := protocol.Reuse(stream.RecvMsg, &pb.UnitEvent{}, p.Room)
		err = protocol.Receive(recv, func(m *pb.UnitEvent, t *protocol.Tally) error { return p.Event(ctx, m, t) })
		switch {
		case p.Failed() != nil:
			return s.end(p.Failed())
		case err != nil && ctx.Err() != nil:
			return s.end(ctx.Err())
		}
		return s.since(s.blame("unit "+r.Unit.ID, err))
	})
}

// since adds to the error of a read the reason why an earlier read was cut off. That may
// have cost the source its connection, and the source only knows that it was cancelled.
func (s *source) since(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil || s.ended == nil || errors.Is(err, s.ended) {
		return err
	}
	return fmt.Errorf("%w; before that: %w", err, s.ended)
}

// end returns the error of a read that is cut off here.
func (s *source) end(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		s.ended = err
	}
	return err
}

func (s *source) Close(ctx context.Context) error { return s.close(context.WithoutCancel(ctx)) }

// counter is a source that supports stage.Counter.
type counter struct{ *source }

func (s counter) Count(ctx context.Context, table string) (n int64, err error) {
	err = s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		r, err := pb.NewSourceClient(c).Count(ctx, &pb.CountRequest{Instance: id, Table: table})
		if err == nil && r.Rows < -1 {
			err = s.blame("count of table "+table, fmt.Errorf("%w: %d rows", protocol.ErrContract, r.Rows))
		}
		n = r.GetRows()
		return err
	})
	return n, err
}

// joiner is a source that supports stage.Joiner.
type joiner struct{ *source }

func (s joiner) Join(ctx context.Context, session stage.Session) error {
	return s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		_, err := pb.NewSourceClient(c).Join(ctx, &pb.JoinRequest{Instance: id, Session: session})
		return err
	})
}

// sourceWith returns the source with the optional interfaces that the plugin supports.
func sourceWith(s *source) stage.Source {
	switch count, join := s.has("count"), s.has("join"); {
	case count && join:
		return struct {
			*source
			counter
			joiner
		}{s, counter{s}, joiner{s}}
	case count:
		return counter{s}
	case join:
		return joiner{s}
	}
	return s
}

// blame adds the plugin's name to an error about data it sent. Errors of the stage or the
// process already have it.
func (i *instance) blame(of string, err error) error {
	if errors.Is(err, protocol.ErrStream) || errors.Is(err, protocol.ErrContract) {
		return fmt.Errorf("plugin %s: %s: %w", i.program.Name, of, err)
	}
	return err
}
