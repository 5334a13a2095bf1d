package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// record is a stage.RecordTransform that calls a plugin. It prepares each new process.
type record struct {
	*instance

	mu   sync.Mutex
	plan *stage.Plan // nil until Prepare has returned
}

func newRecord(i *instance) *record {
	r := &record{instance: i}
	i.ready = func(ctx context.Context, c grpc.ClientConnInterface, id uint64) error {
		r.mu.Lock()
		plan := r.plan
		r.mu.Unlock()
		if plan == nil {
			return nil
		}
		if _, err := r.prepare(ctx, c, id, plan); err != nil {
			return fmt.Errorf("preparing the transform in the new process: %w", err)
		}
		return nil
	}
	return r
}

// Prepare does nothing if the plugin's transform is no Preparer.
func (r *record) Prepare(ctx context.Context, p *stage.Plan) (found stage.Findings, err error) {
	if !r.has("prepare") {
		return found, nil
	}
	p = r.known(p)
	err = r.do(ctx, func(c grpc.ClientConnInterface, id uint64) (err error) {
		found, err = r.prepare(ctx, c, id, p)
		return err
	})
	if err != nil {
		return stage.Findings{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plan = p
	return found, nil
}

func (r *record) prepare(ctx context.Context, c grpc.ClientConnInterface, id uint64, p *stage.Plan) (stage.Findings, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := pb.NewRecordTransformClient(c).Prepare(ctx)
	if err != nil {
		return stage.Findings{}, err
	}
	err = protocol.SendPlan(id, p, stream.Send)
	if err == nil {
		err = stream.CloseSend()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return stage.Findings{}, err
	}
	found, err := protocol.ReceiveCheck(stream.Recv)
	return found, r.blame("result of Prepare", err)
}

// Added returns the rows that the plugin's transform adds.
func (r *record) Added(ctx context.Context, m stage.Mapped, dst []byte) ([]byte, int, error) {
	start := len(dst)
	mapped, err := protocol.MappedMessage(m)
	if err != nil {
		return dst, 0, err
	}
	err = r.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := pb.NewRecordTransformClient(c).Added(ctx, &pb.AddedRequest{Instance: id, Mapped: mapped})
		if err != nil {
			return err
		}
		dst, err = wholeRows(stream.RecvMsg, dst[:start])
		return r.blame("rows added to table "+m.Schema.Name, err)
	})
	if err != nil {
		return dst[:start], 0, err
	}
	return dst, bytes.Count(dst[start:], []byte{'\n'}), nil
}

// wholeRows appends the rows of a reply.
func wholeRows(recv func(any) error, dst []byte) ([]byte, error) {
	start := len(dst)
	dst, err := frames(recv, dst, protocol.MaxBlob)
	if n := len(dst); err == nil && n > start && dst[n-1] != '\n' {
		err = fmt.Errorf("%w: the last row is truncated", protocol.ErrContract)
	}
	return dst, err
}

func (r *record) Table(ctx context.Context, t schema.Table, target string) (m stage.Mapped, err error) {
	table, err := protocol.TableMessage(t)
	if err != nil {
		return m, err
	}
	err = r.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		answer, err := pb.NewRecordTransformClient(c).Table(ctx, &pb.TableRequest{Instance: id, Schema: table, Target: target})
		if err != nil {
			return err
		}
		if m, err = protocol.Mapped(answer, protocol.Table); err == nil && m.Adds && !r.has("adds") {
			err = fmt.Errorf("%w: the transform adds rows, but lacks the capability adds", protocol.ErrContract)
		}
		return r.blame("table "+t.Name, err)
	})
	return m, err
}

func (r *record) Close(ctx context.Context) error { return r.close(context.WithoutCancel(ctx)) }

// Rows sends all rows and then receives; a transform reads its whole input before it
// answers.
func (r *record) Rows(ctx context.Context, m stage.Mapped, dst []byte, c stage.Chunk) ([]byte, int, error) {
	data := c.Data
	start := len(dst)
	mapped, err := protocol.MappedMessage(m)
	if err != nil {
		return dst, 0, err
	}
	err = r.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		dst = dst[:start]
		stream, err := pb.NewRecordTransformClient(c).Rows(ctx)
		if err != nil {
			return err
		}
		var t protocol.Tally
		head := &pb.RowsHead{Instance: id, Mapped: mapped}
		err = protocol.Split(data, func(piece []byte, last bool) error {
			t.Data(piece)
			m := &pb.RowsRequest{Head: head, Data: piece}
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
		dst, err = wholeRows(stream.RecvMsg, dst)
		return r.blame("rows of table "+m.From.Name, err)
	})
	if err != nil {
		return dst[:start], 0, err
	}
	return dst, bytes.Count(dst[start:], []byte{'\n'}), nil
}

var (
	_ stage.Preparer = (*record)(nil)
	_ stage.Adder    = (*record)(nil)
	_ stage.Closer   = (*record)(nil)
)
