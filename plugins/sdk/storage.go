package sdk

import (
	"context"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

type storageServer struct {
	pb.UnimplementedStorageServer
	*server
	names names
}

// Put receives the whole object before it passes it on, so a truncated stream stores
// nothing.
func (s *storageServer) Put(stream grpc.ClientStreamingServer[pb.PutRequest, pb.PutResponse]) error {
	var head *pb.PutHead
	var data *[]byte
	recv := protocol.Reuse(stream.RecvMsg, &pb.PutRequest{}, func() []byte { return room(data) })
	err := protocol.Receive(recv, func(m *pb.PutRequest, t *protocol.Tally) error {
		if m.Head != nil {
			head = m.Head
			data = s.buffers.get(int(min(head.Size, maxKept)))
		}
		t.Data(m.Data)
		return take(data, m.Data, head.Size)
	})
	if data != nil {
		defer s.buffers.put(data)
	}
	if err == nil && uint64(len(*data)) != head.Size {
		err = short(*data, head.Size)
	}
	if err != nil {
		return err
	}
	st, leave, err := enter[stage.Storage](s.server, head.Instance)
	if err != nil {
		return err
	}
	defer leave()
	defer s.names.lock(stream.Context(), head.Instance, head.Name)()
	if err := stream.Context().Err(); err != nil { // later calls may have completed already
		return err
	}
	if err := store(stream.Context(), st, head, *data); err != nil {
		return err
	}
	return stream.SendAndClose(&pb.PutResponse{})
}

func store(ctx context.Context, st stage.Storage, head *pb.PutHead, data []byte) error {
	if !head.Create {
		return st.Put(ctx, head.Name, data)
	}
	c, ok := st.(stage.Creator)
	if !ok {
		return unknown(head.Instance)
	}
	return c.Create(ctx, head.Name, data)
}

func (s *storageServer) Get(r *pb.GetRequest, stream grpc.ServerStreamingServer[pb.Frame]) error {
	st, leave, err := enter[stage.Storage](s.server, r.Instance)
	if err != nil {
		return err
	}
	defer leave()
	buf := s.buffers.get(int(max(0, min(r.Length, maxKept))))
	defer s.buffers.put(buf)
	if *buf, err = st.Get(stream.Context(), *buf, r.Name, r.Offset, r.Length); err != nil {
		return err
	}
	return sendFrames(*buf, stream)
}

// sendFrames sends data as frames with an end.
func sendFrames(data []byte, stream grpc.ServerStreamingServer[pb.Frame]) error {
	var t protocol.Tally
	return protocol.Split(data, func(piece []byte, last bool) error {
		t.Data(piece)
		m := &pb.Frame{Data: piece}
		if last {
			m.End = t.End()
		}
		return stream.Send(m)
	})
}

// listed is the maximum number of objects in a message of List.
const listed = 500

func (s *storageServer) List(r *pb.ListRequest, stream grpc.ServerStreamingServer[pb.ListResponse]) error {
	st, leave, err := enter[stage.Storage](s.server, r.Instance)
	if err != nil {
		return err
	}
	defer leave()
	s.names.settle(stream.Context())
	var t protocol.Tally
	m := &pb.ListResponse{}
	err = st.List(stream.Context(), r.Prefix, func(o stage.Object) error {
		t.Items(1)
		if m.Objects = append(m.Objects, object(o)); len(m.Objects) < listed {
			return nil
		}
		full := m
		m = &pb.ListResponse{}
		return stream.Send(full)
	})
	if err != nil {
		return err
	}
	m.End = t.End()
	return stream.Send(m)
}

func object(o stage.Object) *pb.Object { return &pb.Object{Name: o.Name, Size: o.Size} }

func (s *storageServer) Delete(ctx context.Context, r *pb.DeleteRequest) (*pb.DeleteResponse, error) {
	st, leave, err := enter[stage.Storage](s.server, r.Instance)
	if err != nil {
		return nil, err
	}
	defer leave()
	defer s.names.lock(ctx, r.Instance, r.Name)()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &pb.DeleteResponse{}, st.Delete(ctx, r.Name)
}

func (s *storageServer) Stat(ctx context.Context, r *pb.StatRequest) (*pb.StatResponse, error) {
	st, leave, err := enter[stage.Storage](s.server, r.Instance)
	if err != nil {
		return nil, err
	}
	defer leave()
	o, err := st.Stat(ctx, r.Name)
	return &pb.StatResponse{Object: object(o)}, err
}

func (s *storageServer) Free(ctx context.Context, r *pb.FreeRequest) (*pb.FreeResponse, error) {
	st, leave, err := enter[stage.Capacity](s.server, r.Instance)
	if err != nil {
		return nil, err
	}
	defer leave()
	n, err := st.Free(ctx)
	return &pb.FreeResponse{Bytes: n}, err
}
