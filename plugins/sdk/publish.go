package sdk

import (
	"context"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

func (s *sinkServer) Expose(r *pb.ExposeRequest, stream grpc.ServerStreamingServer[pb.ExposeResponse]) error {
	return stepwise(s, r.Instance, stream.Context(), func(step *pb.Step, end *pb.End) error {
		return stream.Send(&pb.ExposeResponse{Step: step, End: end})
	}, func(ctx context.Context, sink stage.Exposer) error { return sink.Expose(ctx, r.Run) })
}

func (s *sinkServer) Settle(r *pb.SettleRequest, stream grpc.ServerStreamingServer[pb.SettleResponse]) error {
	return stepwise(s, r.Instance, stream.Context(), func(step *pb.Step, end *pb.End) error {
		return stream.Send(&pb.SettleResponse{Step: step, End: end})
	}, func(ctx context.Context, sink stage.Exposer) error { return sink.Settle(ctx) })
}

func (s *sinkServer) Complete(r *pb.CompleteRequest, stream grpc.ServerStreamingServer[pb.CompleteResponse]) error {
	return stepwise(s, r.Instance, stream.Context(), func(step *pb.Step, end *pb.End) error {
		return stream.Send(&pb.CompleteResponse{Step: step, End: end})
	}, func(ctx context.Context, sink stage.Recoverer) error { return sink.Complete(ctx) })
}

func (s *sinkServer) Retract(r *pb.RetractRequest, stream grpc.ServerStreamingServer[pb.RetractResponse]) error {
	return stepwise(s, r.Instance, stream.Context(), func(step *pb.Step, end *pb.End) error {
		return stream.Send(&pb.RetractResponse{Step: step, End: end})
	}, func(ctx context.Context, sink stage.Recoverer) error { return sink.Retract(ctx) })
}

func (s *sinkServer) Published(ctx context.Context, r *pb.PublishedRequest) (*pb.PublishedResponse, error) {
	sink, leave, err := alone[stage.Decider](s.server, r.Instance)
	if err != nil {
		return nil, err
	}
	defer leave()
	done, err := sink.Published(ctx, r.Run)
	return &pb.PublishedResponse{Published: done}, err
}

func (s *sinkServer) Exposed(ctx context.Context, r *pb.ExposedRequest) (*pb.ExposedResponse, error) {
	sink, leave, err := alone[stage.Recoverer](s.server, r.Instance)
	if err != nil {
		return nil, err
	}
	defer leave()
	run, err := sink.Exposed(ctx)
	return &pb.ExposedResponse{Run: run}, err
}

// stepwise makes a call of a sink whose steps are sent, followed by an end.
func stepwise[S any](s *sinkServer, id uint64, ctx context.Context, send func(*pb.Step, *pb.End) error, call func(context.Context, S) error) error {
	sink, leave, err := alone[S](s.server, id)
	if err != nil {
		return err
	}
	defer leave()
	ctx, endSteps := protocol.SendSteps(ctx, func(m *pb.Step) error { return send(m, nil) })
	defer endSteps()
	if err := call(ctx, sink); err != nil {
		return err
	}
	endSteps()
	return send(nil, &pb.End{})
}
