package sdk

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

type recordServer struct {
	pb.UnimplementedRecordTransformServer
	*server
	tables tables
}

func (s *recordServer) Table(ctx context.Context, r *pb.TableRequest) (*pb.Mapped, error) {
	transform, err := instance[stage.RecordTransform](s.server, r.Instance)
	if err != nil {
		return nil, err
	}
	t, err := protocol.Table(r.Schema)
	if err != nil {
		return nil, err
	}
	m, err := transform.Table(ctx, t, r.Target)
	if err != nil {
		return nil, err
	}
	return protocol.MappedMessage(m)
}

func (s *recordServer) Rows(stream grpc.BidiStreamingServer[pb.RowsRequest, pb.Frame]) error {
	var head *pb.RowsHead
	var data []byte
	err := protocol.Receive(stream.Recv, func(m *pb.RowsRequest, t *protocol.Tally) error {
		if m.Head != nil {
			head = m.Head
		}
		if len(data)+len(m.Data) > protocol.MaxBlob {
			return fmt.Errorf("%w: more than %d bytes in one chunk", protocol.ErrStream, protocol.MaxBlob)
		}
		if t.Data(m.Data); data == nil {
			data = m.Data
			return nil
		}
		data = append(data, m.Data...)
		return nil
	})
	if err != nil {
		return err
	}
	transform, err := instance[stage.RecordTransform](s.server, head.Instance)
	if err != nil {
		return err
	}
	m, err := protocol.Mapped(head.Mapped, s.tables.table)
	if err != nil {
		return err
	}
	out, kept, err := transform.Rows(stream.Context(), m, nil, stage.Chunk{Data: data, Rows: bytes.Count(data, []byte{'\n'})})
	if err != nil {
		return err
	}
	if n := bytes.Count(out, []byte{'\n'}); n != kept {
		return fmt.Errorf("table %s: the transform reported %d rows but returned %d", m.From.Name, kept, n)
	}
	return sendFrames(out, stream)
}

func (s *recordServer) Prepare(stream grpc.BidiStreamingServer[pb.Plan, pb.CheckResponse]) error {
	id, plan, err := protocol.ReceivePlan(stream.Recv)
	if err != nil {
		return err
	}
	transform, err := instance[stage.Preparer](s.server, id)
	if err != nil {
		return err
	}
	found, err := transform.Prepare(stream.Context(), plan)
	if err != nil {
		return err
	}
	return protocol.SendCheck(found, stream.Send)
}

func (s *recordServer) Added(r *pb.AddedRequest, stream grpc.ServerStreamingServer[pb.Frame]) error {
	transform, err := instance[stage.Adder](s.server, r.Instance)
	if err != nil {
		return err
	}
	m, err := protocol.Mapped(r.Mapped, s.tables.table)
	if err != nil {
		return err
	}
	out, added, err := transform.Added(stream.Context(), m, nil)
	if err != nil {
		return err
	}
	if n := bytes.Count(out, []byte{'\n'}); n != added {
		return fmt.Errorf("table %s: the transform reported %d added rows but returned %d", m.Schema.Name, added, n)
	}
	return sendFrames(out, stream)
}

// maxTables is the maximum number of tables cached.
const maxTables = 64

// tables caches decoded tables by their JSON, which is sent with every chunk of rows. It is
// safe for concurrent use.
type tables struct {
	mu   sync.Mutex
	seen map[string]schema.Table
}

func (t *tables) table(data []byte) (schema.Table, error) {
	t.mu.Lock()
	s, ok := t.seen[string(data)]
	t.mu.Unlock()
	if ok {
		return s, nil
	}
	s, err := protocol.Table(data)
	if err != nil {
		return s, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen == nil || len(t.seen) == maxTables {
		t.seen = map[string]schema.Table{}
	}
	t.seen[string(data)] = s
	return s, nil
}
