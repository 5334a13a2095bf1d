package host

import (
	"context"
	"errors"
	"slices"
	"sync"

	"google.golang.org/grpc"

	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// instance is a stage that was opened in a process. One whose calls may be
// repeated is opened again in the next process when that one is gone.
type instance struct {
	host    *Host
	program Program
	request *pb.OpenRequest
	repeat  bool
	// ready is called after each opening, before other calls.
	ready func(ctx context.Context, c grpc.ClientConnInterface, id uint64) error

	mu      sync.Mutex
	process *process
	id      uint64
	can     []string
	closed  bool
}

// open opens the stage, if it is not open in a living process.
func (i *instance) open(ctx context.Context) (*process, uint64, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.closed:
		return nil, 0, errEnded
	case i.process != nil && (!i.process.exited() || !i.repeat):
		return i.process, i.id, nil
	}
	p, err := i.host.process(ctx, i.program)
	if err != nil {
		return nil, 0, err
	}
	r, err := pb.NewPluginClient(p.conn).Open(ctx, i.request)
	if err != nil {
		return nil, 0, err
	}
	i.process, i.id, i.can = p, r.Instance, r.Capabilities
	if i.ready != nil {
		if err := i.ready(ctx, p.conn, i.id); err != nil {
			i.process = nil
			return nil, 0, err
		}
	}
	return p, i.id, nil
}

// do makes a call; one that may be repeated is, when the process is lost in it.
func (i *instance) do(ctx context.Context, call func(c grpc.ClientConnInterface, id uint64) error) error {
	for {
		p, id, err := i.open(ctx)
		if err == nil {
			err = call(p.conn, id)
		}
		var l *lost
		if !errors.As(err, &l) || !i.repeat || ctx.Err() != nil {
			return err
		}
		i.host.Log.Warn("a plugin's call is repeated", "plugin", i.program.Name, "error", err)
	}
}

func (i *instance) has(capability string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Contains(i.can, capability)
}

// close ends the instance; a process that is gone took it along.
func (i *instance) close(ctx context.Context) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return nil
	}
	i.closed = true
	if i.process == nil || i.process.exited() {
		return nil
	}
	_, err := pb.NewPluginClient(i.process.conn).Close(ctx, &pb.CloseRequest{Instance: i.id})
	var l *lost
	if errors.As(err, &l) {
		return nil
	}
	return err
}
