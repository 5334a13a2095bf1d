package sdk

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

type byteServer struct {
	pb.UnimplementedByteTransformServer
	*server
}

// received returns the data received for a transform, in a buffer of the pool.
func (s *byteServer) received(stream grpc.BidiStreamingServer[pb.ApplyRequest, pb.Frame]) (_ *pb.ApplyHead, data *[]byte, err error) {
	var head *pb.ApplyHead
	recv := protocol.Reuse(stream.RecvMsg, &pb.ApplyRequest{}, func() []byte { return room(data) })
	err = protocol.Receive(recv, func(m *pb.ApplyRequest, t *protocol.Tally) error {
		if m.Head != nil {
			head = m.Head
			data = s.buffers.get(int(min(head.Size, maxKept)))
		}
		if err := take(data, m.Data, head.Size); err != nil {
			return err
		}
		t.Data(m.Data)
		return nil
	})
	if err == nil && uint64(len(*data)) != head.Size {
		err = short(*data, head.Size)
	}
	if err != nil && data != nil {
		s.buffers.put(data)
	}
	return head, data, err
}

// take appends received bytes to data, which has size bytes in total.
func take(data *[]byte, came []byte, size uint64) error {
	if n := uint64(len(*data) + len(came)); n > size || n > protocol.MaxBlob {
		return fmt.Errorf("%w: more than the announced %d bytes", protocol.ErrStream, size)
	}
	*data = protocol.Join(*data, came)
	return nil
}

// room returns where to read the next data; nil if there is no buffer yet.
func room(data *[]byte) []byte {
	if data == nil {
		return nil
	}
	return protocol.Room(*data)
}

func short(data []byte, size uint64) error {
	return fmt.Errorf("%w: received %d of the announced %d bytes", protocol.ErrStream, len(data), size)
}

func (s *byteServer) Apply(stream grpc.BidiStreamingServer[pb.ApplyRequest, pb.Frame]) error {
	return s.transform(stream, func(t stage.ByteTransform, head *pb.ApplyHead, dst, src []byte) ([]byte, error) {
		return t.Apply(stream.Context(), dst, src, head.Name)
	})
}

func (s *byteServer) Invert(stream grpc.BidiStreamingServer[pb.ApplyRequest, pb.Frame]) error {
	return s.transform(stream, func(t stage.ByteTransform, head *pb.ApplyHead, dst, src []byte) ([]byte, error) {
		return t.Invert(stream.Context(), dst, src, head.Name, int(min(head.Limit, protocol.MaxBlob)))
	})
}

// transform receives the complete input and sends the result.
func (s *byteServer) transform(stream grpc.BidiStreamingServer[pb.ApplyRequest, pb.Frame], do func(t stage.ByteTransform, head *pb.ApplyHead, dst, src []byte) ([]byte, error)) error {
	head, data, err := s.received(stream)
	if err != nil {
		return err
	}
	defer s.buffers.put(data)
	t, leave, err := enter[stage.ByteTransform](s.server, head.Instance)
	if err != nil {
		return err
	}
	defer leave()
	out := s.buffers.get(len(*data))
	defer s.buffers.put(out)
	made, err := do(t, head, *out, *data)
	if err != nil {
		return err
	}
	*out = made
	return sendFrames(made, stream)
}

func (s *byteServer) CreateKey(ctx context.Context, r *pb.CreateKeyRequest) (*pb.CreateKeyResponse, error) {
	k, leave, err := enter[stage.Keyed](s.server, r.Instance)
	if err != nil {
		return nil, err
	}
	defer leave()
	header, err := k.Create(ctx)
	return &pb.CreateKeyResponse{Header: header}, err
}

func (s *byteServer) OpenKey(ctx context.Context, r *pb.OpenKeyRequest) (*pb.OpenKeyResponse, error) {
	k, leave, err := enter[stage.Keyed](s.server, r.Instance)
	if err != nil {
		return nil, err
	}
	defer leave()
	return &pb.OpenKeyResponse{}, k.Open(ctx, r.Header)
}
