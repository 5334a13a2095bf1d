package host

import (
	"context"
	"errors"
	"slices"
	"sync"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// instance is a stage that was opened in a process. One whose calls may be
// repeated is opened again in the next process when that one is gone.
type instance struct {
	host    *Host
	program Program
	request *pb.OpenRequest
	secrets []string // of its settings
	repeat  bool     // it may be opened again in the next process
	// ready is called after each opening, before other calls.
	ready func(ctx context.Context, c grpc.ClientConnInterface, id uint64) error

	opening chan struct{} // holds one while someone opens or closes it

	mu      sync.Mutex
	process *process
	id      uint64
	can     []string
	limits  stage.Limits
	closed  bool
}

// maxConnections is how many calls at once a storage may like at most.
const maxConnections = 1 << 16

// acquire makes the caller the one who opens and closes.
func (i *instance) acquire(ctx context.Context) error {
	select {
	case i.opening <- struct{}{}:
		return nil
	default:
	}
	select {
	case i.opening <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// current is where the stage is open now; ok is false if it must be opened.
func (i *instance) current() (p *process, id uint64, ok bool, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return nil, 0, false, errClosed
	}
	return i.process, i.id, i.process != nil && (!i.repeat || !i.process.over()), nil
}

var errClosed = errors.New("the stage is closed")

// open opens the stage, if it is not open in a living process.
func (i *instance) open(ctx context.Context) (*process, uint64, error) {
	if p, id, ok, err := i.current(); ok || err != nil {
		return p, id, err
	}
	if err := i.acquire(ctx); err != nil {
		return nil, 0, err
	}
	defer func() { <-i.opening }()
	if p, id, ok, err := i.current(); ok || err != nil {
		return p, id, err
	}
	p, err := i.host.process(ctx, i.program)
	if err != nil {
		return nil, 0, err
	}
	p.output.secrets.Add(i.secrets...)
	r, err := pb.NewPluginClient(p.conn).Open(ctx, i.request)
	if err != nil {
		return nil, 0, err
	}
	if i.ready != nil {
		if err := i.ready(ctx, p.conn, r.Instance); err != nil {
			return nil, 0, err
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.process, i.id, i.can = p, r.Instance, r.Capabilities
	i.limits = stage.Limits{Connections: int(min(r.Connections, maxConnections))}
	return p, i.id, nil
}

// once makes a call.
func (i *instance) once(ctx context.Context, call func(c grpc.ClientConnInterface, id uint64) error) error {
	p, id, err := i.open(ctx)
	if err != nil {
		return err
	}
	return call(p.conn, id)
}

// do makes a call; one that may be repeated is, when the process is lost in it.
// How often is limited by how often the host starts a process.
func (i *instance) do(ctx context.Context, call func(c grpc.ClientConnInterface, id uint64) error) error {
	for {
		err := i.once(ctx, call)
		var l *lost
		if !i.repeat || !errors.As(err, &l) || ctx.Err() != nil {
			return err
		}
	}
}

func (i *instance) has(capability string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Contains(i.can, capability)
}

// close ends the instance; a process that is gone took it along.
func (i *instance) close(ctx context.Context) error {
	if err := i.acquire(ctx); err != nil {
		return err
	}
	defer func() { <-i.opening }()
	i.mu.Lock()
	p, id, closed := i.process, i.id, i.closed
	i.closed = true
	i.mu.Unlock()
	if closed || p == nil || p.over() {
		return nil
	}
	_, err := pb.NewPluginClient(p.conn).Close(ctx, &pb.CloseRequest{Instance: id})
	var l *lost
	if i.repeat && errors.As(err, &l) {
		return nil
	}
	return err
}
