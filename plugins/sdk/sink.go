package sdk

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

type sinkServer struct {
	pb.UnimplementedSinkServer
	*server
}

func (s *sinkServer) Check(stream grpc.BidiStreamingServer[pb.Plan, pb.CheckResponse]) error {
	id, plan, err := protocol.ReceivePlan(stream.Recv)
	if err != nil {
		return err
	}
	sink, leave, err := enter[stage.Sink](s.server, id)
	if err != nil {
		return err
	}
	defer leave()
	losses, notes, err := sink.Check(stream.Context(), plan)
	if err != nil {
		return err
	}
	return protocol.SendCheck(losses, notes, stream.Send)
}

func (s *sinkServer) Begin(stream grpc.ClientStreamingServer[pb.Plan, pb.BeginResponse]) error {
	id, plan, err := protocol.ReceivePlan(stream.Recv)
	if err != nil {
		return err
	}
	sink, leave, err := enter[stage.Sink](s.server, id)
	if err != nil {
		return err
	}
	defer leave()
	if err := sink.Begin(stream.Context(), plan); err != nil {
		return err
	}
	return stream.SendAndClose(&pb.BeginResponse{})
}

func (s *sinkServer) Known(r *pb.KnownRequest, stream grpc.ServerStreamingServer[pb.KnownResponse]) error {
	unit, err := protocol.Unit(r.Unit)
	if err != nil {
		return err
	}
	sink, leave, err := enter[stage.Knower](s.server, r.Instance)
	if err != nil {
		return err
	}
	defer leave()
	known, err := sink.Known(stream.Context(), unit)
	if err != nil {
		return err
	}
	return protocol.SendKnown(known, stream.Send)
}

// Unit commits what came whole, and gives up everything else.
func (s *sinkServer) Unit(stream grpc.BidiStreamingServer[pb.UnitEvent, pb.UnitResponse]) error {
	first, err := stream.Recv()
	if err != nil || first.Head == nil {
		return errors.Join(protocol.ErrHead, err)
	}
	unit, err := protocol.Unit(first.Head.Unit)
	if err != nil {
		return err
	}
	sink, leave, err := enter[stage.Sink](s.server, first.Head.Instance)
	if err != nil {
		return err
	}
	defer leave()
	ctx := stream.Context()
	if err := ctx.Err(); err != nil {
		return err // given up before it began; the sink may have been, too
	}
	w, err := sink.Unit(ctx, unit)
	if err != nil {
		return err
	}
	if err := s.commit(ctx, w, func() error {
		return passOn(ctx, stream.RecvMsg, first, &protocol.Passage{Unit: unit, To: w})
	}); err != nil {
		return err
	}
	return protocol.SendRefused(w.Refused(), stream.Send)
}

// commit commits a unit that is filled without an error, and gives up any other,
// also one whose writer panics.
func (s *sinkServer) commit(ctx context.Context, w stage.UnitWriter, fill func() error) (err error) {
	committed, panicked := false, true
	defer func() {
		if committed {
			return
		}
		aborted := w.Abort(context.WithoutCancel(ctx))
		switch {
		case panicked && aborted != nil:
			s.log.Error("a unit whose writer panicked could not be given up", "error", aborted)
		case aborted != nil:
			err = errors.Join(err, aborted)
		case errors.Is(err, protocol.ErrBreak):
			err = fmt.Errorf("it is given up: %w", context.Canceled)
		}
	}()
	if err = fill(); err == nil {
		err = w.Commit(ctx)
	}
	committed, panicked = err == nil, false
	return err
}

// passOn passes a unit's events on, of which the first has come.
func passOn(ctx context.Context, recv func(any) error, first *pb.UnitEvent, p *protocol.Passage) error {
	rest := protocol.Reuse(recv, &pb.UnitEvent{}, p.Room)
	next := func() (*pb.UnitEvent, error) {
		if m := first; m != nil {
			first = nil
			return m, nil
		}
		return rest()
	}
	return protocol.Receive(next, func(m *pb.UnitEvent, t *protocol.Tally) error { return p.Event(ctx, m, t) })
}

func (s *sinkServer) Finish(stream grpc.ClientStreamingServer[pb.Outcome, pb.FinishResponse]) error {
	id, outcome, err := protocol.ReceiveOutcome(stream.Recv)
	if err != nil {
		return err
	}
	sink, leave, err := alone[stage.Sink](s.server, id)
	if err != nil {
		return err
	}
	defer leave()
	if err := sink.Finish(stream.Context(), outcome); err != nil {
		return err
	}
	return stream.SendAndClose(&pb.FinishResponse{})
}

func (s *sinkServer) Prove(r *pb.ProveRequest, stream grpc.ServerStreamingServer[pb.ProveResponse]) error {
	sink, leave, err := alone[stage.Sink](s.server, r.Instance)
	if err != nil {
		return err
	}
	defer leave()
	proofs, err := sink.Prove(stream.Context())
	if err != nil {
		return err
	}
	return protocol.SendProofs(proofs, stream.Send)
}

func (s *sinkServer) Publish(ctx context.Context, r *pb.PublishRequest) (*pb.PublishResponse, error) {
	sink, leave, err := alone[stage.Sink](s.server, r.Instance)
	if err != nil {
		return nil, err
	}
	defer leave()
	return &pb.PublishResponse{}, sink.Publish(ctx)
}

func (s *sinkServer) Abort(ctx context.Context, r *pb.AbortRequest) (*pb.AbortResponse, error) {
	sink, leave, err := alone[stage.Sink](s.server, r.Instance)
	if err != nil {
		return nil, err
	}
	defer leave()
	return &pb.AbortResponse{}, sink.Abort(ctx)
}
