package host

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// action is a stage.Action that calls a plugin.
type action struct{ *instance }

func (a action) Run(ctx context.Context, r stage.ActionRequest) (report stage.ActionReport, err error) {
	if r.Plan != nil {
		r.Plan = a.known(r.Plan)
	}
	err = a.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := pb.NewActionClient(c).Run(ctx)
		if err != nil {
			return err
		}
		err = protocol.SendAction(id, r, stream.Send)
		if err == nil {
			err = stream.CloseSend()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		report, err = protocol.ReceiveReport(a.steps(ctx), stream.Recv)
		return a.blame("result of Run", err)
	})
	report.Confirm = a.hidden(report.Confirm)
	for i := range report.Findings {
		f := &report.Findings[i]
		for _, text := range []*string{&f.What, &f.Where, &f.Remedy, &f.Details} {
			*text = a.hidden(*text)
		}
		for k := range f.Exclude {
			f.Exclude[k] = a.hidden(f.Exclude[k])
		}
	}
	return report, err
}

func (a action) Close(ctx context.Context) error { return a.close(context.WithoutCancel(ctx)) }
