package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// Holder returns t as one whose results stay in the storage's process.
func (s storage) Holder(t stage.ByteTransform) (stage.Holder, bool) {
	b, ok := t.(chained)
	if !ok || !s.has("hold") || !sameProcess(append(slices.Clone(b.instances()), s.instance)) {
		return nil, false
	}
	return holder{chain: b.instances(), storage: s.instance}, true
}

// holder is a chain of transforms whose results a storage of their process holds.
type holder struct {
	chain   []*instance
	storage *instance
}

func (h holder) Hold(ctx context.Context, src []byte, place string) (piece stage.Piece, err error) {
	err = together(ctx, append(slices.Clone(h.chain), h.storage), func(c grpc.ClientConnInterface, ids []uint64) error {
		n := len(ids) - 1
		head := &pb.ApplyHead{Chain: ids[:n], Hold: ids[n], Place: place, Size: uint64(len(src))}
		return pass(ctx, c, pb.ByteTransformClient.Apply, head, src, func(stream applying) error {
			return protocol.Receive(stream.Recv, func(m *pb.Frame, t *protocol.Tally) error {
				if m.Held == nil || m.Held.Ticket == 0 || m.Held.Ticket >= 1<<ticketBits || m.Held.Size > uint64(swollen(len(src))) || len(m.Data) > 0 {
					return fmt.Errorf("plugin %s: %w: %d bytes can't be held as %d", h.storage.program.Name, protocol.ErrStream, len(src), m.Held.GetSize())
				}
				t.Items(1)
				run, err := h.storage.run(c)
				piece = stage.Piece{Ticket: run<<ticketBits | m.Held.Ticket, Size: int(m.Held.Size)}
				return err
			})
		})
	})
	return piece, err
}

// ticketBits is how long a plugin's tickets are; above them stands which run of
// the program gave it: the next one counts anew.
const ticketBits = 48

// run tells which run of the program, counted from 1, a connection leads to.
func (i *instance) run(c grpc.ClientConnInterface) (uint64, error) {
	p, _, _, err := i.current()
	if err == nil && grpc.ClientConnInterface(p.conn) != c {
		err = &lost{errors.New("the plugin was started again meanwhile")}
	}
	if err != nil {
		return 0, err
	}
	return uint64(p.nth), nil
}

// Assemble puts an object of which parts are held in the plugin. A process that
// was lost took these along: it can't be repeated.
func (s storage) Assemble(ctx context.Context, name string, pieces []stage.Piece) error {
	size := 0
	for _, p := range pieces {
		size += p.Len()
	}
	err := s.do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		run, err := s.run(c)
		if err != nil {
			return err
		}
		for _, p := range pieces {
			if p.Ticket != 0 && p.Ticket>>ticketBits != run {
				return fmt.Errorf("plugin %s was started again, and what it held went with its process", s.program.Name)
			}
		}
		err = put(ctx, c, &pb.PutHead{Instance: id, Name: name, Size: uint64(size)}, pieces)
		if l := new(lost); errors.As(err, &l) {
			return l.err
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// put sends the pieces of an object.
func put(ctx context.Context, c grpc.ClientConnInterface, head *pb.PutHead, pieces []stage.Piece) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := pb.NewStorageClient(c).Put(ctx)
	if err != nil {
		return err
	}
	var t protocol.Tally
	send := func(m *pb.PutRequest) error {
		m.Head, head = head, nil
		return stream.Send(m)
	}
	for _, p := range pieces {
		if p.Ticket != 0 {
			t.Items(1)
			err = send(&pb.PutRequest{Held: p.Ticket & (1<<ticketBits - 1)})
		} else if len(p.Data) > 0 {
			err = protocol.Split(p.Data, func(piece []byte, _ bool) error {
				t.Data(piece)
				return send(&pb.PutRequest{Data: piece})
			})
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		err = send(&pb.PutRequest{End: t.End()})
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	_, err = stream.CloseAndRecv() // tells also why a stream ended early
	return err
}
