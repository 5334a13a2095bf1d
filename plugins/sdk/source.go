package sdk

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

type sourceServer struct {
	pb.UnimplementedSourceServer
	*server
}

func (s *sourceServer) Plan(r *pb.PlanRequest, stream grpc.ServerStreamingServer[pb.Inventory]) error {
	source, leave, err := enter[stage.Source](s.server, r.Instance)
	if err != nil {
		return err
	}
	defer leave()
	selected, err := protocol.Selection(r.Selection)
	if err != nil {
		return err
	}
	i, err := source.Plan(stream.Context(), stage.PlanRequest{Pipeline: r.Pipeline, Selection: selected})
	if err != nil {
		return err
	}
	return protocol.SendInventory(i, stream.Send)
}

func (s *sourceServer) Count(ctx context.Context, r *pb.CountRequest) (*pb.CountResponse, error) {
	counter, leave, err := enter[stage.Counter](s.server, r.Instance)
	if err != nil {
		return nil, err
	}
	defer leave()
	n, err := counter.Count(ctx, r.Table)
	return &pb.CountResponse{Rows: n}, err
}

// Read sends the end of the unit only after everything was read and sent, even if the
// source ignores errors of its writer.
func (s *sourceServer) Read(stream grpc.BidiStreamingServer[pb.ReadRequest, pb.UnitEvent]) error {
	id, request, err := protocol.ReceiveRead(stream.Recv)
	if err != nil {
		return err
	}
	source, leave, err := enter[stage.Source](s.server, id)
	if err != nil {
		return err
	}
	defer leave()
	w := protocol.NewEventWriter(func(_ context.Context, m *pb.UnitEvent) error {
		err := stream.Send(m)
		if ended := stream.Context().Err(); err != nil && ended != nil {
			return ended // the host needs nothing more
		}
		return err
	})
	ctx, cancel := lingering(stream.Context())
	defer cancel()
	if err := read(ctx, source, request, w); err != nil {
		return err
	}
	return w.End(ctx)
}

// linger is how much longer than its call the context of a source lives. The host cancels
// the call when a target fails. A source that notices through its writer ends on its own
// and keeps the connection with its snapshot, so the unit can be read again.
const linger = 2 * time.Second

// lingering returns a context that ends linger after ctx.
func lingering(ctx context.Context) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(linger, cancel)
		<-later.Done()
		timer.Stop()
	})
	return later, func() {
		stop()
		cancel()
	}
}

func read(ctx context.Context, s stage.Source, r stage.ReadRequest, w *protocol.EventWriter) error {
	if r.Unit.Part == stage.DB {
		if source, ok := s.(stage.RowSource); ok {
			return source.ReadRows(ctx, r, w.Rows())
		}
		return fmt.Errorf("unit %s has rows, but the source has no ReadRows", r.Unit.ID)
	}
	if source, ok := s.(stage.FileSource); ok {
		return source.ReadFiles(ctx, r, w)
	}
	return fmt.Errorf("unit %s has files, but the source has no ReadFiles", r.Unit.ID)
}

func (s *sourceServer) Join(ctx context.Context, r *pb.JoinRequest) (*pb.JoinResponse, error) {
	joiner, leave, err := enter[stage.Joiner](s.server, r.Instance)
	if err != nil {
		return nil, err
	}
	defer leave()
	return &pb.JoinResponse{}, joiner.Join(ctx, r.Session)
}
