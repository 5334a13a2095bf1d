package host

import (
	"context"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// sinkWith returns a sink with the optional interfaces that the plugin's sink has.
func sinkWith(s sink) stage.Sink {
	known, e := baselineSink{s}, exposer{s}
	switch base, decides, recovers := s.has("baseline"), s.has("decide"), s.has("recover"); {
	case base && decides && recovers:
		return struct {
			baselineSink
			exposer
			decider
			recoverer
		}{known, e, decider{s}, recoverer{s}}
	case base && decides:
		return struct {
			baselineSink
			exposer
			decider
		}{known, e, decider{s}}
	case base && recovers:
		return struct {
			baselineSink
			exposer
			recoverer
		}{known, e, recoverer{s}}
	case base && s.has("expose"):
		return struct {
			baselineSink
			exposer
		}{known, e}
	case base:
		return known
	case decides && recovers:
		return struct {
			sink
			exposer
			decider
			recoverer
		}{s, e, decider{s}, recoverer{s}}
	case decides:
		return struct {
			sink
			exposer
			decider
		}{s, e, decider{s}}
	case recovers:
		return struct {
			sink
			exposer
			recoverer
		}{s, e, recoverer{s}}
	case s.has("expose"):
		return struct {
			sink
			exposer
		}{s, e}
	}
	return s
}

// exposer adds the methods of stage.Exposer to a sink.
type exposer struct{ of sink }

func (e exposer) Expose(ctx context.Context, run string) error {
	return stepwise(ctx, e.of, "result of Expose", func(ctx context.Context, c pb.SinkClient, id uint64) (grpc.ServerStreamingClient[pb.ExposeResponse], error) {
		return c.Expose(ctx, &pb.ExposeRequest{Instance: id, Run: run})
	})
}

func (e exposer) Settle(ctx context.Context) error {
	return stepwise(ctx, e.of, "result of Settle", func(ctx context.Context, c pb.SinkClient, id uint64) (grpc.ServerStreamingClient[pb.SettleResponse], error) {
		return c.Settle(ctx, &pb.SettleRequest{Instance: id})
	})
}

// decider adds the method of stage.Decider to a sink.
type decider struct{ of sink }

func (d decider) Published(ctx context.Context, run string) (done bool, err error) {
	err = d.of.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		r, err := pb.NewSinkClient(c).Published(ctx, &pb.PublishedRequest{Instance: id, Run: run})
		done = r.GetPublished()
		return err
	})
	return done && err == nil, err
}

// recoverer adds the methods of stage.Recoverer to a sink.
type recoverer struct{ of sink }

func (r recoverer) Exposed(ctx context.Context) (run string, err error) {
	err = r.of.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		answer, err := pb.NewSinkClient(c).Exposed(ctx, &pb.ExposedRequest{Instance: id})
		run = answer.GetRun()
		return err
	})
	return run, err
}

func (r recoverer) Complete(ctx context.Context) error {
	return stepwise(ctx, r.of, "result of Complete", func(ctx context.Context, c pb.SinkClient, id uint64) (grpc.ServerStreamingClient[pb.CompleteResponse], error) {
		return c.Complete(ctx, &pb.CompleteRequest{Instance: id})
	})
}

func (r recoverer) Retract(ctx context.Context) error {
	return stepwise(ctx, r.of, "result of Retract", func(ctx context.Context, c pb.SinkClient, id uint64) (grpc.ServerStreamingClient[pb.RetractResponse], error) {
		return c.Retract(ctx, &pb.RetractRequest{Instance: id})
	})
}

// stepwise makes a call whose reply reports steps and has no content.
func stepwise[R any, M interface {
	*R
	protocol.Message
	GetStep() *pb.Step
}](ctx context.Context, s sink, what string, call func(context.Context, pb.SinkClient, uint64) (grpc.ServerStreamingClient[R], error)) error {
	return s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := call(ctx, pb.NewSinkClient(c), id)
		if err != nil {
			return err
		}
		recv := func() (M, error) {
			m, err := stream.Recv()
			return M(m), err
		}
		return s.blame(what, protocol.ReceiveSteps(s.steps(ctx), recv, protocol.Nothing))
	})
}
