package protocol

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"google.golang.org/grpc/encoding"
	encodingproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// codec is gRPC's codec for protobuf, except that it copies the data of a message only
// once, from the connection's buffer to its destination. The default codec copies it twice,
// into memory allocated and cleared for each message, which costs as much as the socket.
// The wire format is the same.
type codec struct {
	encoding.CodecV2
	frames *frames
}

func newCodec() codec { return codec{encoding.GetCodecV2(encodingproto.Name), &frames{}} }

// frames is a pool of buffers, one for each message with data. gRPC's own pool clears a MiB
// for every message larger than 32 KiB.
type frames struct{ pool sync.Pool }

// maxFrame is the maximum size of a message for which the pool has buffers.
const maxFrame = FrameSize + 4<<10

func (f *frames) Get(length int) *[]byte {
	buf, ok := f.pool.Get().(*[]byte)
	if !ok || cap(*buf) < length {
		made := make([]byte, maxFrame)
		buf = &made
	}
	*buf = (*buf)[:length]
	return buf
}

func (f *frames) Put(buf *[]byte) { f.pool.Put(buf) }

// Marshal writes a message.
func (c codec) Marshal(m any) (mem.BufferSlice, error) {
	message, ok := m.(proto.Message)
	if data := dataOf(m); !ok || data == nil || len(*data) < 8<<10 {
		return c.CodecV2.Marshal(m)
	}
	size := proto.Size(message)
	if size > maxFrame {
		return c.CodecV2.Marshal(m)
	}
	buf := c.frames.Get(size)
	if _, err := (proto.MarshalOptions{UseCachedSize: true}).MarshalAppend((*buf)[:0], message); err != nil {
		c.frames.Put(buf)
		return nil, err
	}
	return mem.BufferSlice{mem.NewBuffer(buf, c.frames)}, nil
}

// dataOf returns the data field of a message that has one.
func dataOf(m any) *[]byte {
	switch m := m.(type) {
	case *pb.Frame:
		return &m.Data
	case *pb.PutRequest:
		return &m.Data
	case *pb.ApplyRequest:
		return &m.Data
	case *pb.RowsRequest:
		return &m.Data
	case *pb.UnitEvent:
		return &m.Data
	case *pb.UnitResponse:
		return &m.Data
	}
	return nil
}

// dataField is the number of the data field in all these messages.
const dataField = 2

var errMessage = errors.New("not a message of the protocol")

// Unmarshal reads a message. Its data is stored in the memory of m.Data if it fits.
func (c codec) Unmarshal(wire mem.BufferSlice, m any) error {
	data := dataOf(m)
	if data == nil {
		return c.CodecV2.Unmarshal(wire, m)
	}
	message, ok := m.(proto.Message)
	if !ok {
		return fmt.Errorf("%T: %w", m, errMessage)
	}
	room := (*data)[:0]
	proto.Reset(message)
	r := wire.Reader()
	rest, room, err := separate(r, room)
	if err = errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("%T: %w", m, err)
	}
	if err := (proto.UnmarshalOptions{Merge: true}).Unmarshal(rest, message); err != nil {
		return err
	}
	*data = room
	return nil
}

// separate reads a message's data into room, and returns the rest of the message.
func separate(r *mem.Reader, room []byte) (rest, data []byte, err error) {
	for r.Remaining() > 0 {
		tag, err := varint(r)
		if err != nil {
			return nil, nil, err
		}
		number, kind := protowire.DecodeTag(tag)
		if number == dataField && kind == protowire.BytesType {
			n, err := length(r)
			if err != nil {
				return nil, nil, err
			}
			room = slices.Grow(room[:0], n)[:n]
			if _, err := io.ReadFull(r, room); err != nil {
				return nil, nil, err
			}
			continue
		}
		rest = protowire.AppendVarint(rest, tag)
		if rest, err = field(r, rest, kind); err != nil {
			return nil, nil, err
		}
	}
	return rest, room, nil
}

// field appends the value of a field to rest.
func field(r *mem.Reader, rest []byte, kind protowire.Type) ([]byte, error) {
	n := 0
	switch kind {
	case protowire.VarintType:
		v, err := varint(r)
		return protowire.AppendVarint(rest, v), err
	case protowire.Fixed32Type:
		n = 4
	case protowire.Fixed64Type:
		n = 8
	case protowire.BytesType:
		var err error
		if n, err = length(r); err != nil {
			return rest, err
		}
		rest = protowire.AppendVarint(rest, uint64(n))
	default:
		return rest, errMessage
	}
	if n > r.Remaining() {
		return rest, errMessage
	}
	start := len(rest)
	rest = slices.Grow(rest, n)[:start+n]
	_, err := io.ReadFull(r, rest[start:])
	return rest, err
}

func length(r *mem.Reader) (int, error) {
	n, err := varint(r)
	if err == nil && n > uint64(r.Remaining()) {
		err = errMessage
	}
	return int(n), err
}

func varint(r *mem.Reader) (uint64, error) {
	var buf [10]byte
	for i := range buf {
		b, err := r.ReadByte()
		if err != nil {
			return 0, errMessage
		}
		if buf[i] = b; b < 0x80 {
			v, n := protowire.ConsumeVarint(buf[:i+1])
			if n < 0 {
				return 0, errMessage
			}
			return v, nil
		}
	}
	return 0, errMessage
}
