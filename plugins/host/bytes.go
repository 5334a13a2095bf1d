package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// byteTransform is a stage.ByteTransform that calls a plugin.
type byteTransform struct{ *instance }

// maxRoom is the capacity allocated for a result of unknown size.
const maxRoom = 9 << 20

// swollen returns the maximum size of the output of Apply for n bytes.
func swollen(n int) int64 { return 2*int64(n) + 1<<16 }

func (b byteTransform) Apply(ctx context.Context, dst, src []byte, name string) ([]byte, error) {
	return b.through(ctx, pb.ByteTransformClient.Apply, dst, src, name, swollen(len(src)))
}

func (b byteTransform) Invert(ctx context.Context, dst, src []byte, name string, limit int) ([]byte, error) {
	return b.through(ctx, pb.ByteTransformClient.Invert, dst, src, name, int64(limit))
}

func (b byteTransform) through(ctx context.Context, method passage, dst, src []byte, name string, limit int64) ([]byte, error) {
	start := len(dst)
	err := b.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		head := &pb.ApplyHead{Instance: id, Name: name, Limit: uint64(limit), Size: uint64(len(src))}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := method(pb.NewByteTransformClient(c), ctx)
		if err != nil {
			return err
		}
		if err := send(stream, head, src); err != nil {
			return err
		}
		room := min(limit, 4*int64(len(src))+1<<16, maxRoom)
		dst, err = frames(stream.RecvMsg, slices.Grow(dst[:start], int(room)), limit)
		return err
	})
	if err != nil {
		return dst[:start], err
	}
	return dst, nil
}

type (
	applying = grpc.BidiStreamingClient[pb.ApplyRequest, pb.Frame]
	passage  = func(pb.ByteTransformClient, context.Context, ...grpc.CallOption) (applying, error)
)

// send sends all of src; a transform reads its whole input before it answers.
func send(stream applying, head *pb.ApplyHead, src []byte) error {
	var t protocol.Tally
	err := protocol.Split(src, func(piece []byte, last bool) error {
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
	return nil // io.EOF: the next receive returns the reason
}

// keyed is a byte transform with a key. It passes its key to each new process.
type keyed struct {
	byteTransform

	mu     sync.Mutex
	given  bool // it has a key
	header []byte
}

func newKeyed(i *instance) *keyed {
	k := &keyed{byteTransform: byteTransform{i}}
	i.ready = func(ctx context.Context, c grpc.ClientConnInterface, id uint64) error {
		k.mu.Lock()
		given, header := k.given, k.header
		k.mu.Unlock()
		if !given {
			return nil
		}
		_, err := pb.NewByteTransformClient(c).OpenKey(ctx, &pb.OpenKeyRequest{Instance: id, Header: header})
		if err != nil {
			return fmt.Errorf("passing the key to the new process: %w", err)
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
	k.given, k.header = true, header
}

func (k *keyed) CanOpen() bool { return k.has("can-open") }

var _ stage.Keyed = (*keyed)(nil)
