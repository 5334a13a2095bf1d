package protocol

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"google.golang.org/protobuf/proto"

	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// Tally counts and sums what passes a stream, for its end. The zero value is
// that of nothing. Not safe for concurrent use.
type Tally struct {
	bytes, items uint64
	crc          uint32
}

// Data counts data.
func (t *Tally) Data(data []byte) {
	t.bytes += uint64(len(data))
	t.crc = crc32.Update(t.crc, crc32.IEEETable, data)
}

// Items counts things other than data.
func (t *Tally) Items(n int) { t.items += uint64(n) }

// End is what closes the stream.
func (t *Tally) End() *pb.End { return &pb.End{Bytes: t.bytes, Crc32: t.crc, Items: t.items} }

// ErrStream is a stream that doesn't hold what its end says, or has none.
var ErrStream = errors.New("the stream is not whole")

// ErrBreak is an ErrStream: it broke off before its end.
var ErrBreak = fmt.Errorf("%w: it breaks off", ErrStream)

// ErrHead is an ErrStream: its first message, and no other, must have a head.
var ErrHead = fmt.Errorf("%w: it must begin with a head, and have no other", ErrStream)

// headed tells whether a message has a head, and whether its stream begins with one.
func headed(m any) (has, begins bool) {
	switch m := m.(type) {
	case *pb.PutRequest:
		return m.Head != nil, true
	case *pb.ApplyRequest:
		return m.Head != nil, true
	case *pb.RowsRequest:
		return m.Head != nil, true
	case *pb.ReadRequest:
		return m.Head != nil, true
	case *pb.Plan:
		return m.Head != nil, true
	case *pb.Outcome:
		return m.Head != nil, true
	}
	return false, false
}

// Check compares with the end that came.
func (t *Tally) Check(end *pb.End) error {
	switch {
	case end.GetBytes() != t.bytes:
		return fmt.Errorf("%w: %d bytes came, and its end tells of %d", ErrStream, t.bytes, end.GetBytes())
	case end.GetItems() != t.items:
		return fmt.Errorf("%w: %d items came, and its end tells of %d", ErrStream, t.items, end.GetItems())
	case end.GetCrc32() != t.crc:
		return fmt.Errorf("%w: the checksum of its %d bytes is not what its end tells", ErrStream, t.bytes)
	}
	return nil
}

// Split calls send for each piece of data that fits a message, the last one with
// last; once with nothing where data is empty.
func Split(data []byte, send func(piece []byte, last bool) error) error {
	for len(data) > FrameSize {
		if err := send(data[:FrameSize], false); err != nil {
			return err
		}
		data = data[FrameSize:]
	}
	return send(data, true)
}

// Message is a message of a stream that has an end.
type Message interface{ GetEnd() *pb.End }

// Reuse makes a Receive's recv of a stream's RecvMsg that reads every message
// into m: fn must not keep it. Where room gives memory, data is read into it, for
// Join to find it there.
func Reuse[M Message](recv func(any) error, m M, room func() []byte) func() (M, error) {
	data := dataOf(m)
	return func() (M, error) {
		if data != nil && room != nil {
			*data = room()
		}
		return m, recv(m)
	}
}

// Room is the free memory behind b.
func Room(b []byte) []byte { return b[len(b):len(b):cap(b)] }

// Join appends data to dst; nothing is copied if it stands there already.
func Join(dst, data []byte) []byte {
	if n := len(dst); len(data) > 0 && cap(dst)-n >= len(data) && &dst[:n+1][n] == &data[0] {
		return dst[:n+len(data)]
	}
	return append(dst, data...)
}

// maxHeld is how much a stream may have besides data, in bytes and 64 more for
// each item: who receives it holds it in memory.
const maxHeld = 1 << 30

// held is how many bytes of a message are held: of a unit's events none are.
func held(m any) uint64 {
	message, ok := m.(proto.Message)
	if _, passes := m.(*pb.UnitEvent); !ok || passes {
		return 0
	}
	n := proto.Size(message)
	if data := dataOf(m); data != nil {
		n -= len(*data)
	}
	return uint64(n)
}

// Receive calls fn for each message until the end has come and fits, and the
// stream ends with it. fn counts in the tally what the message holds. A stream
// that ends before its end, goes on after it, or has too much besides data, is
// ErrStream; an error of recv or fn is returned as it is.
func Receive[M Message](recv func() (M, error), fn func(m M, t *Tally) error) error {
	var t Tally
	var size uint64
	for first := true; ; first = false {
		m, err := recv()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%w after %d bytes and %d items", ErrBreak, t.bytes, t.items)
		}
		if err != nil {
			return err
		}
		if has, begins := headed(m); begins && has != first {
			return ErrHead
		}
		if size += held(m); size > 0 && size+64*t.items > maxHeld {
			return fmt.Errorf("%w: it has no end after %d items of %d bytes", ErrStream, t.items, size)
		}
		if err := fn(m, &t); err != nil {
			return err
		}
		if end := m.GetEnd(); end != nil {
			if err := t.Check(end); err != nil {
				return err
			}
			return drained(recv)
		}
	}
}

// drained makes sure that nothing follows the end.
func drained[M Message](recv func() (M, error)) error {
	switch _, err := recv(); {
	case err == nil:
		return fmt.Errorf("%w: it goes on after its end", ErrStream)
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}
