package sdk

import (
	"context"
	"errors"
	"io"
	"testing"

	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// closable is a stage that counts calls of Close.
type closable struct {
	Sink
	closed *int
	fails  error
}

func (c closable) Close(context.Context) error { *c.closed++; return c.fails }

// An instance opened for a call that has been cancelled is closed at once: it may hold a
// connection or a lock, and nobody else knows of it.
func TestInstanceOfCancelledOpenIsClosed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	closed, stuck := 0, errors.New("the lock is still held")
	s := newServer(Plugin{Name: "test", Stages: []Stage{
		SinkStage("slow", "", "", nil, func(ctx context.Context, _ *struct{}, _ Env) (Sink, error) {
			cancel() // as the host does
			return closable{closed: &closed, fails: stuck}, ctx.Err()
		}),
	}}, io.Discard)
	_, err := s.Open(ctx, &pb.OpenRequest{Stage: "slow", Role: pb.Role_ROLE_SINK, Settings: []byte("{}")})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, stuck) {
		t.Errorf("%v", err)
	}
	if closed != 1 || len(s.instances) != 0 {
		t.Errorf("closed %d times, %d instances remain", closed, len(s.instances))
	}
}
