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
	found, err := sink.Check(stream.Context(), plan)
	if err != nil {
		return err
	}
	return protocol.SendCheck(found, stream.Send)
}

func (s *sinkServer) Begin(stream grpc.BidiStreamingServer[pb.Plan, pb.BeginResponse]) error {
	id, plan, err := protocol.ReceivePlan(stream.Recv)
	if err != nil {
		return err
	}
	sink, leave, err := enter[stage.Sink](s.server, id)
	if err != nil {
		return err
	}
	defer leave()
	ctx, endSteps := protocol.SendSteps(stream.Context(), func(m *pb.Step) error { return stream.Send(&pb.BeginResponse{Step: m}) })
	defer endSteps()
	if err := sink.Begin(ctx, plan); err != nil {
		return err
	}
	endSteps()
	return stream.Send(&pb.BeginResponse{End: &pb.End{}})
}

func (s *sinkServer) Baseline(r *pb.BaselineRequest, stream grpc.ServerStreamingServer[pb.BaselineResponse]) error {
	unit, err := protocol.Unit(r.Unit)
	if err != nil {
		return err
	}
	sink, leave, err := enter[stage.BaselineSink](s.server, r.Instance)
	if err != nil {
		return err
	}
	defer leave()
	b, err := sink.Baseline(stream.Context(), unit)
	if err != nil {
		return err
	}
	return protocol.SendBaseline(b, stream.Send)
}

// Unit commits a unit that arrived completely, and aborts any other.
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
		return err // cancelled before it began; the sink may be aborted too
	}
	u, left, err := s.receipts(first.Head.Instance).take(ctx, unit.ID)
	if err != nil {
		return err
	}
	defer left()
	if u.receipt != nil {
		err = passOn(ctx, stream.RecvMsg, first, ignored(unit))
	} else {
		u.receipt, err = s.write(ctx, sink, unit, first, stream.RecvMsg)
	}
	if err != nil {
		return err
	}
	return protocol.SendReceipt(u.receipt, stream.Send)
}

// write makes a sink write a unit whose first event was received.
func (s *sinkServer) write(ctx context.Context, sink stage.Sink, u stage.Unit, first *pb.UnitEvent, recv func(any) error) (*stage.Receipt, error) {
	w, replay, err := begin(ctx, sink, u)
	if err != nil {
		return nil, err
	}
	return s.commit(ctx, w, func() error { return passOn(ctx, recv, first, replay) })
}

// ignored returns a replayer that discards the events of a unit.
func ignored(u stage.Unit) *protocol.Replayer {
	if u.Part == stage.DB {
		return &protocol.Replayer{Unit: u, Rows: ignoreRows{}}
	}
	return &protocol.Replayer{Unit: u, To: ignore{}}
}

// begin starts a unit of a sink and returns a replayer for its events.
func begin(ctx context.Context, s stage.Sink, u stage.Unit) (stage.Ending, *protocol.Replayer, error) {
	if u.Part == stage.DB {
		sink, ok := s.(stage.RowSink)
		if !ok {
			return nil, nil, fmt.Errorf("unit %s has rows, but the sink has no WriteRows", u.ID)
		}
		w, err := sink.WriteRows(ctx, u)
		return w, &protocol.Replayer{Unit: u, Rows: w}, err
	}
	sink, ok := s.(stage.FileSink)
	if !ok {
		return nil, nil, fmt.Errorf("unit %s has files, but the sink has no WriteFiles", u.ID)
	}
	w, err := sink.WriteFiles(ctx, u)
	return w, &protocol.Replayer{Unit: u, To: w}, err
}

// commit commits a unit if fill succeeds, and aborts it otherwise, even if the writer
// panics.
func (s *sinkServer) commit(ctx context.Context, w stage.Ending, fill func() error) (r *stage.Receipt, err error) {
	committed, panicked := false, true
	defer func() {
		if committed {
			return
		}
		aborted := w.Abort(context.WithoutCancel(ctx))
		switch {
		case panicked && aborted != nil:
			s.log.Error("aborting a unit after a panic failed", "error", aborted)
		case aborted != nil:
			err = errors.Join(err, aborted)
		case errors.Is(err, protocol.ErrBreak):
			err = fmt.Errorf("aborted: %w", context.Canceled)
		}
	}()
	if err = fill(); err == nil {
		r, err = w.Commit(ctx)
	}
	committed, panicked = err == nil, false
	return r, err
}

// passOn passes on the events of a unit, beginning with first.
func passOn(ctx context.Context, recv func(any) error, first *pb.UnitEvent, p *protocol.Replayer) error {
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

func (s *sinkServer) Finish(stream grpc.BidiStreamingServer[pb.Outcome, pb.FinishResponse]) error {
	id, outcome, err := protocol.ReceiveOutcome(stream.Recv)
	if err != nil {
		return err
	}
	sink, leave, err := alone[stage.Sink](s.server, id)
	if err != nil {
		return err
	}
	defer leave()
	ctx, endSteps := protocol.SendSteps(stream.Context(), func(m *pb.Step) error { return stream.Send(&pb.FinishResponse{Step: m}) })
	defer endSteps()
	if err := sink.Finish(ctx, outcome); err != nil {
		return err
	}
	endSteps()
	return stream.Send(&pb.FinishResponse{End: &pb.End{}})
}

func (s *sinkServer) Prove(r *pb.ProveRequest, stream grpc.ServerStreamingServer[pb.ProveResponse]) error {
	sink, leave, err := alone[stage.Sink](s.server, r.Instance)
	if err != nil {
		return err
	}
	defer leave()
	ctx, endSteps := protocol.SendSteps(stream.Context(), func(m *pb.Step) error { return stream.Send(&pb.ProveResponse{Step: m}) })
	defer endSteps()
	proofs, err := sink.Prove(ctx)
	if err != nil {
		return err
	}
	endSteps()
	return protocol.SendProofs(proofs, stream.Send)
}

func (s *sinkServer) Publish(r *pb.PublishRequest, stream grpc.ServerStreamingServer[pb.PublishResponse]) error {
	sink, leave, err := alone[stage.Sink](s.server, r.Instance)
	if err != nil {
		return err
	}
	defer leave()
	ctx, endSteps := protocol.SendSteps(stream.Context(), func(m *pb.Step) error { return stream.Send(&pb.PublishResponse{Step: m}) })
	defer endSteps()
	if err := sink.Publish(ctx); err != nil {
		return err
	}
	endSteps()
	return stream.Send(&pb.PublishResponse{End: &pb.End{}})
}

func (s *sinkServer) Abort(ctx context.Context, r *pb.AbortRequest) (*pb.AbortResponse, error) {
	sink, leave, err := alone[stage.Sink](s.server, r.Instance)
	if err != nil {
		return nil, err
	}
	defer leave()
	return &pb.AbortResponse{}, sink.Abort(ctx)
}
