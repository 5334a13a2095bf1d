package host

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// sink is a stage.Sink that calls a plugin.
type sink struct{ *instance }

func (s sink) Check(ctx context.Context, p *stage.Plan) (found stage.Findings, err error) {
	err = s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := pb.NewSinkClient(c).Check(ctx)
		if err != nil {
			return err
		}
		err = protocol.SendPlan(id, s.known(p), stream.Send)
		if err == nil {
			err = stream.CloseSend()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		found, err = protocol.ReceiveCheck(stream.Recv)
		return s.blame("result of Check", err)
	})
	return found, err
}

func (s sink) Begin(ctx context.Context, p *stage.Plan) error {
	return s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := pb.NewSinkClient(c).Begin(ctx)
		if err != nil {
			return err
		}
		err = protocol.SendPlan(id, s.known(p), stream.Send)
		if err == nil {
			err = stream.CloseSend()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		err = protocol.ReceiveSteps(s.steps(ctx), stream.Recv, protocol.Nothing)
		return s.blame("result of Begin", err)
	})
}

func (s sink) Finish(ctx context.Context, o *stage.Outcome) error {
	own := *o
	own.Facts = stage.KnownFacts(o.Facts, s.facts)
	return s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := pb.NewSinkClient(c).Finish(ctx)
		if err != nil {
			return err
		}
		err = protocol.SendOutcome(id, &own, stream.Send)
		if err == nil {
			err = stream.CloseSend()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		err = protocol.ReceiveSteps(s.steps(ctx), stream.Recv, protocol.Nothing)
		return s.blame("result of Finish", err)
	})
}

func (s sink) Prove(ctx context.Context) (proofs []stage.TableProof, err error) {
	err = s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := pb.NewSinkClient(c).Prove(ctx, &pb.ProveRequest{Instance: id})
		if err != nil {
			return err
		}
		proofs, err = protocol.ReceiveProofs(s.steps(ctx), stream.Recv)
		return s.blame("result of Prove", err)
	})
	return proofs, err
}

// Publish is not cut off when the run is cancelled after it has begun: the plugin might
// complete it anyway, unnoticed.
func (s sink) Publish(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	err := s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := pb.NewSinkClient(c).Publish(ctx, &pb.PublishRequest{Instance: id})
		if err != nil {
			return err
		}
		err = protocol.ReceiveSteps(s.steps(ctx), stream.Recv, protocol.Nothing)
		return s.blame("result of Publish", err)
	})
	if l := new(lost); errors.As(err, &l) || errors.Is(err, protocol.ErrStream) {
		return fmt.Errorf("the target may already be published: %w", err)
	}
	return err
}

// Abort runs even if the run was cancelled.
func (s sink) Abort(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	return s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		_, err := pb.NewSinkClient(c).Abort(ctx, &pb.AbortRequest{Instance: id})
		return err
	})
}

func (s sink) Close(ctx context.Context) error { return s.close(context.WithoutCancel(ctx)) }

// baselineSink is a sink that supports stage.BaselineSink.
type baselineSink struct{ sink }

func (s baselineSink) Baseline(ctx context.Context, u stage.Unit) (b stage.Baseline, err error) {
	unit, err := protocol.UnitMessage(u)
	if err != nil {
		return nil, err
	}
	err = s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := pb.NewSinkClient(c).Baseline(ctx, &pb.BaselineRequest{Instance: id, Unit: unit})
		if err != nil {
			return err
		}
		b, err = protocol.ReceiveBaseline(stream.Recv)
		return s.blame("baseline of unit "+u.ID, err)
	})
	return b, err
}

var _ stage.BaselineSink = baselineSink{}
