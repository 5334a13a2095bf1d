package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// record is a stage.RecordTransform that calls a plugin.
type record struct{ *instance }

func (r record) Table(ctx context.Context, t schema.Table, target string) (m stage.Mapped, err error) {
	table, err := protocol.TableMessage(t)
	if err != nil {
		return m, err
	}
	err = r.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		answer, err := pb.NewRecordTransformClient(c).Table(ctx, &pb.TableRequest{Instance: id, Schema: table, Target: target})
		if err != nil {
			return err
		}
		m, err = protocol.Mapped(answer, protocol.Table)
		return r.blame("table "+t.Name, err)
	})
	return m, err
}

func (r record) Close(ctx context.Context) error { return r.close(context.WithoutCancel(ctx)) }

// Rows sends all rows and then receives; a transform reads its whole input before it
// answers.
func (r record) Rows(ctx context.Context, m stage.Mapped, dst []byte, c stage.Chunk) ([]byte, int, error) {
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
		dst, err = frames(stream.RecvMsg, dst, protocol.MaxBlob)
		if n := len(dst); err == nil && n > start && dst[n-1] != '\n' {
			err = fmt.Errorf("%w: the last row is truncated", protocol.ErrContract)
		}
		return r.blame("rows of table "+m.From.Name, err)
	})
	if err != nil {
		return dst[:start], 0, err
	}
	return dst, bytes.Count(dst[start:], []byte{'\n'}), nil
}
