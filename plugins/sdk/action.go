package sdk

import (
	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// The levels of findings.
const (
	LevelOK      = stage.LevelOK
	LevelNote    = stage.LevelNote
	LevelWarning = stage.LevelWarning
	LevelFail    = stage.LevelFail
)

type actionServer struct {
	pb.UnimplementedActionServer
	*server
}

func (s *actionServer) Run(stream grpc.BidiStreamingServer[pb.ActionRequest, pb.ActionResponse]) error {
	id, request, err := protocol.ReceiveAction(stream.Recv)
	if err != nil {
		return err
	}
	action, leave, err := enter[stage.Action](s.server, id)
	if err != nil {
		return err
	}
	defer leave()
	ctx, endSteps := protocol.SendSteps(stream.Context(), func(m *pb.Step) error { return stream.Send(&pb.ActionResponse{Step: m}) })
	defer endSteps()
	report, err := action.Run(ctx, request)
	endSteps()
	if bad := protocol.SendReport(report, stream.Send); err == nil {
		err = bad
	}
	return err
}
