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

// instance is a stage opened in a process. If its calls may be repeated, it is opened again
// in the next process after that one is gone.
type instance struct {
	host    *Host
	program Program
	request *pb.OpenRequest
	secrets []string // secrets in its settings
	facts   []string // names of the secret facts that it may know
	repeat  bool     // it may be opened again in another process
	// ready is called each time the instance is opened, before other calls.
	ready func(ctx context.Context, c grpc.ClientConnInterface, id uint64) error

	opening chan struct{} // semaphore for opening and closing

	mu      sync.Mutex
	process *process
	id      uint64
	can     []string
	limits  stage.Limits
	closed  bool
}

// maxConnections is the maximum number of concurrent calls that a storage may request.
const maxConnections = 1 << 16

// known returns a plan without the secret facts that the stage does not need.
func (i *instance) known(p *stage.Plan) *stage.Plan {
	own := *p
	own.Facts = stage.KnownFacts(p.Facts, i.facts)
	return &own
}

// acquire waits for the right to open or close the instance.
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

// current returns where the stage is open; ok is false if it has to be opened.
func (i *instance) current() (p *process, id uint64, ok bool, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return nil, 0, false, errClosed
	}
	return i.process, i.id, i.process != nil && (!i.repeat || !i.process.over()), nil
}

var errClosed = errors.New("the stage is closed")

// open opens the stage unless it is open in a running process.
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

// do makes a call and, if permitted, repeats it when the process is lost. The host's limit
// on restarts also limits the repetitions.
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

// close closes the instance. If its process is gone there is nothing to do.
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
