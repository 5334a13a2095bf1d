package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// bytes stands in for a plugin's byte transform.
type byteTransform struct{ *instance }

// swollen is the most that a transform may make of n bytes.
func swollen(n int) int64 { return int64(n) + int64(n)/8 + 1<<16 }

func (b byteTransform) Apply(ctx context.Context, dst, src []byte, place string) ([]byte, error) {
	return b.pass(ctx, dst, src, &pb.ApplyHead{Place: place}, swollen(len(src)), pb.ByteTransformClient.Apply)
}

func (b byteTransform) Invert(ctx context.Context, dst, src []byte, place string, limit int) ([]byte, error) {
	return b.pass(ctx, dst, src, &pb.ApplyHead{Place: place, Limit: uint64(limit)}, int64(limit), pb.ByteTransformClient.Invert)
}

type passage = func(pb.ByteTransformClient, context.Context, ...grpc.CallOption) (grpc.BidiStreamingClient[pb.ApplyRequest, pb.Frame], error)

// pass sends src through the plugin. It sends and then receives: a transform
// takes its input whole.
func (b byteTransform) pass(ctx context.Context, dst, src []byte, head *pb.ApplyHead, limit int64, open passage) ([]byte, error) {
	start := len(dst)
	err := b.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		dst = dst[:start]
		head := &pb.ApplyHead{Chain: []uint64{id}, Place: head.Place, Limit: head.Limit}
		stream, err := open(pb.NewByteTransformClient(c), ctx)
		if err != nil {
			return err
		}
		var t protocol.Tally
		err = protocol.Split(src, func(piece []byte, last bool) error {
			t.Data(piece)
			m := &pb.ApplyRequest{Head: head, Data: piece}
			if head = nil; last {
				m.End = t.End()
			}
			return stream.Send(m)
		})
		if err == nil {
			err = stream.CloseSend()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		dst, err = frames(stream.Recv, dst, limit)
		return err
	})
	if err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// keyed is a byte transform that works under a key. It gives each new process
// the key that it had.
type keyed struct {
	byteTransform
	mu     *sync.Mutex
	header []byte
}

func newKeyed(i *instance) *keyed {
	k := &keyed{byteTransform: byteTransform{i}, mu: &sync.Mutex{}}
	i.ready = func(ctx context.Context, c grpc.ClientConnInterface, id uint64) error {
		k.mu.Lock()
		header := k.header
		k.mu.Unlock()
		if header == nil {
			return nil
		}
		_, err := pb.NewByteTransformClient(c).OpenKey(ctx, &pb.OpenKeyRequest{Instance: id, Header: header})
		if err != nil {
			return fmt.Errorf("giving the new process its key: %w", err)
		}
		return nil
	}
	return k
}

func (k *keyed) Create(ctx context.Context) (header []byte, err error) {
	err = k.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		r, err := pb.NewByteTransformClient(c).CreateKey(ctx, &pb.CreateKeyRequest{Instance: id})
		header = r.GetHeader()
		return err
	})
	if err == nil {
		k.keep(header)
	}
	return header, err
}

func (k *keyed) Open(ctx context.Context, header []byte) error {
	err := k.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		_, err := pb.NewByteTransformClient(c).OpenKey(ctx, &pb.OpenKeyRequest{Instance: id, Header: header})
		return err
	})
	if err == nil {
		k.keep(header)
	}
	return err
}

func (k *keyed) keep(header []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.header = header
}

func (k *keyed) CanOpen() bool { return k.has("can-open") }

var _ stage.Keyed = (*keyed)(nil)
