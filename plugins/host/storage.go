package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// storage is a stage.Storage that calls a plugin.
type storage struct{ *instance }

// do makes a call. A lost process is a temporary error, because the next call gets a new
// process. The host's limit on restarts also limits the repetitions.
func (s storage) do(ctx context.Context, call func(c grpc.ClientConnInterface, id uint64) error) error {
	err := s.once(ctx, call)
	if l := new(lost); errors.As(err, &l) {
		return stage.Temporary(err, 0)
	}
	return err
}

func (s storage) Put(ctx context.Context, name string, data []byte) error {
	return s.put(ctx, name, data, false)
}

// Create puts an object if it does not exist. It returns errors.ErrUnsupported if the
// plugin does not support it.
func (s storage) Create(ctx context.Context, name string, data []byte) error {
	if !s.has("create") {
		return fmt.Errorf("plugin %s: creating %s: %w by this storage", s.program.Name, name, errors.ErrUnsupported)
	}
	return s.put(ctx, name, data, true)
}

func (s storage) put(ctx context.Context, name string, data []byte, create bool) error {
	return s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := pb.NewStorageClient(c).Put(ctx)
		if err != nil {
			return err
		}
		var t protocol.Tally
		head := &pb.PutHead{Instance: id, Name: name, Size: uint64(len(data)), Create: create}
		err = protocol.Split(data, func(piece []byte, last bool) error {
			t.Data(piece)
			m := &pb.PutRequest{Head: head, Data: piece}
			if head = nil; last {
				m.End = t.End()
			}
			return stream.Send(m)
		})
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		_, err = stream.CloseAndRecv() // also returns why a stream ended early
		return err
	})
}

func (s storage) Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error) {
	start := len(dst)
	err := s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		dst = dst[:start]
		stream, err := pb.NewStorageClient(c).Get(ctx, &pb.GetRequest{Instance: id, Name: name, Offset: offset, Length: length})
		if err != nil {
			return err
		}
		most := length
		if length < 0 {
			most = protocol.MaxBlob
		} else {
			dst = slices.Grow(dst, int(min(length, protocol.MaxBlob)))
		}
		dst, err = frames(stream.RecvMsg, dst, most)
		if got := int64(len(dst) - start); err == nil && length >= 0 && got != length {
			return fmt.Errorf("plugin %s: got %d bytes of %s, requested %d", s.program.Name, got, name, length)
		}
		return err
	})
	if err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// frames appends the data of frames to dst, at most limit bytes.
func frames(recv func(any) error, dst []byte, limit int64) ([]byte, error) {
	start := len(dst)
	end := start + int(min(limit, protocol.MaxBlob)) // nothing is written beyond it
	reuse := protocol.Reuse(recv, &pb.Frame{}, func() []byte { return protocol.Room(dst[:len(dst):min(cap(dst), end)]) })
	err := protocol.Receive(reuse, func(m *pb.Frame, t *protocol.Tally) error {
		t.Data(m.Data)
		if int64(len(dst)-start+len(m.Data)) > limit {
			return fmt.Errorf("%w: more than the permitted %d bytes", protocol.ErrStream, limit)
		}
		dst = protocol.Join(dst, m.Data)
		return nil
	})
	return dst, err
}

func (s storage) List(ctx context.Context, prefix string, fn func(stage.Object) error) error {
	var failed error
	err := s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := pb.NewStorageClient(c).List(ctx, &pb.ListRequest{Instance: id, Prefix: prefix})
		if err != nil {
			return err
		}
		return protocol.Receive(stream.Recv, func(m *pb.ListResponse, t *protocol.Tally) error {
			t.Items(len(m.Objects))
			for _, o := range m.Objects {
				if o.GetSize() < 0 || !strings.HasPrefix(o.GetName(), prefix) {
					return fmt.Errorf("plugin %s: %w: it lists %q with %d bytes below %q", s.program.Name, protocol.ErrContract, o.GetName(), o.GetSize(), prefix)
				}
				if failed = fn(stage.Object{Name: o.Name, Size: o.Size}); failed != nil {
					return failed
				}
			}
			return nil
		})
	})
	if failed != nil {
		return failed
	}
	return err
}

func (s storage) Delete(ctx context.Context, name string) error {
	return s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		_, err := pb.NewStorageClient(c).Delete(ctx, &pb.DeleteRequest{Instance: id, Name: name})
		return err
	})
}

func (s storage) Stat(ctx context.Context, name string) (o stage.Object, err error) {
	err = s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		r, err := pb.NewStorageClient(c).Stat(ctx, &pb.StatRequest{Instance: id, Name: name})
		if err != nil {
			return err
		}
		if o = (stage.Object{Name: r.Object.GetName(), Size: r.Object.GetSize()}); o.Name != name || o.Size < 0 {
			return fmt.Errorf("plugin %s: %w: stat of %q returned %q with %d bytes", s.program.Name, protocol.ErrContract, name, o.Name, o.Size)
		}
		return nil
	})
	return o, err
}

func (s storage) Close(ctx context.Context) error { return s.close(context.WithoutCancel(ctx)) }

// measured is a storage that supports stage.Capacity.
type measured struct{ storage }

func (s measured) Free(ctx context.Context) (free int64, err error) {
	err = s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		r, err := pb.NewStorageClient(c).Free(ctx, &pb.FreeRequest{Instance: id})
		free = r.GetBytes()
		return err
	})
	return free, err
}

// Limits returns the limits that the plugin declared when the storage was opened.
func (s storage) Limits() stage.Limits {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limits
}

var (
	_ stage.Creator  = storage{}
	_ stage.Limiter  = storage{}
	_ stage.Capacity = measured{}
)
