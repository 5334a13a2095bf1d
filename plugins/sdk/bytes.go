package sdk

import (
	"context"
	"errors"
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

var errNoHead = fmt.Errorf("%w: it does not begin with a head", protocol.ErrStream)

// received is what came for a transform.
func (s *byteServer) received(recv func() (*pb.ApplyRequest, error)) (head *pb.ApplyHead, data []byte, err error) {
	err = protocol.Receive(recv, func(m *pb.ApplyRequest, t *protocol.Tally) error {
		if m.Head != nil {
			head = m.Head
		}
		if head == nil {
			return errNoHead
		}
		if len(data)+len(m.Data) > protocol.MaxBlob {
			return fmt.Errorf("%w: more than %d bytes in one piece", protocol.ErrStream, protocol.MaxBlob)
		}
		data = append(data, m.Data...)
		t.Data(m.Data)
		return nil
	})
	if err == nil && len(head.Chain) != 1 {
		err = errors.New("a chain of several transforms is not among this plugin's capabilities")
	}
	return head, data, err
}

func (s *byteServer) Apply(stream grpc.BidiStreamingServer[pb.ApplyRequest, pb.Frame]) error {
	head, data, err := s.received(stream.Recv)
	if err != nil {
		return err
	}
	b, err := instance[stage.ByteTransform](s.server, head.Chain[0])
	if err != nil {
		return err
	}
	out, err := b.Apply(stream.Context(), nil, data, head.Place)
	if err != nil {
		return err
	}
	return sendFrames(out, stream)
}

func (s *byteServer) Invert(stream grpc.BidiStreamingServer[pb.ApplyRequest, pb.Frame]) error {
	head, data, err := s.received(stream.Recv)
	if err != nil {
		return err
	}
	b, err := instance[stage.ByteTransform](s.server, head.Chain[0])
	if err != nil {
		return err
	}
	out, err := b.Invert(stream.Context(), nil, data, head.Place, int(head.Limit))
	if err != nil {
		return err
	}
	return sendFrames(out, stream)
}

func (s *byteServer) CreateKey(ctx context.Context, r *pb.CreateKeyRequest) (*pb.CreateKeyResponse, error) {
	k, err := instance[stage.Keyed](s.server, r.Instance)
	if err != nil {
		return nil, err
	}
	header, err := k.Create(ctx)
	return &pb.CreateKeyResponse{Header: header}, err
}

func (s *byteServer) OpenKey(ctx context.Context, r *pb.OpenKeyRequest) (*pb.OpenKeyResponse, error) {
	k, err := instance[stage.Keyed](s.server, r.Instance)
	if err != nil {
		return nil, err
	}
	return &pb.OpenKeyResponse{}, k.Open(ctx, r.Header)
}
