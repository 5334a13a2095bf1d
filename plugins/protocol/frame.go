package protocol

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"google.golang.org/protobuf/proto"

	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// Tally counts the content of a stream for its end message. The zero value is ready. It is
// not safe for concurrent use.
type Tally struct {
	bytes, items uint64
	crc          uint32
}

// Data adds data.
func (t *Tally) Data(data []byte) {
	t.bytes += uint64(len(data))
	t.crc = crc32.Update(t.crc, crc32.IEEETable, data)
}

// Items adds n items other than data.
func (t *Tally) Items(n int) { t.items += uint64(n) }

// End returns the end message of the stream.
func (t *Tally) End() *pb.End { return &pb.End{Bytes: t.bytes, Crc32: t.crc, Items: t.items} }

// ErrStream is the error for a stream that has no end or does not match it.
var ErrStream = errors.New("damaged stream")

// ErrBreak is an ErrStream: the stream was cut off before its end.
var ErrBreak = fmt.Errorf("%w: it is cut off", ErrStream)

// ErrHead is an ErrStream: the first message, and only that, must have a head.
var ErrHead = fmt.Errorf("%w: it must have a head in its first message and no other", ErrStream)

// headed reports whether a message has a head, and whether its stream begins with one.
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

// Check compares the tally with the end message received.
func (t *Tally) Check(end *pb.End) error {
	switch {
	case end.GetBytes() != t.bytes:
		return fmt.Errorf("%w: got %d bytes, its end says %d", ErrStream, t.bytes, end.GetBytes())
	case end.GetItems() != t.items:
		return fmt.Errorf("%w: got %d items, its end says %d", ErrStream, t.items, end.GetItems())
	case end.GetCrc32() != t.crc:
		return fmt.Errorf("%w: wrong checksum of %d bytes", ErrStream, t.bytes)
	}
	return nil
}

// Split calls send for each piece of data that fits into a message; last is true for the
// final one. If data is empty it calls send once.
func Split(data []byte, send func(piece []byte, last bool) error) error {
	for len(data) > FrameSize {
		if err := send(data[:FrameSize], false); err != nil {
			return err
		}
		data = data[FrameSize:]
	}
	return send(data, true)
}

// Message is a message of a stream with an end.
type Message interface{ GetEnd() *pb.End }

// Reuse returns a recv function for Receive that reads every message into m, so fn must not
// keep it. If room returns memory, data is read into it, so that Join need not copy it.
func Reuse[M Message](recv func(any) error, m M, room func() []byte) func() (M, error) {
	data := dataOf(m)
	return func() (M, error) {
		if data != nil && room != nil {
			*data = room()
		}
		return m, recv(m)
	}
}

// Room returns the free capacity of b.
func Room(b []byte) []byte { return b[len(b):len(b):cap(b)] }

// Join appends data to dst. It does not copy data that is already there.
func Join(dst, data []byte) []byte {
	if n := len(dst); len(data) > 0 && cap(dst)-n >= len(data) && &dst[:n+1][n] == &data[0] {
		return dst[:n+len(data)]
	}
	return append(dst, data...)
}

// maxHeld is the maximum size of a stream's content besides data, which the receiver holds
// in memory: in bytes, plus 64 for each item.
const maxHeld = 1 << 30

// held returns how many bytes of a message are held in memory. The events of a unit are
// not.
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

// Receive calls fn for each message until the end arrives, matches, and is the last
// message. fn must count the content of the message in the tally. A stream that ends before
// its end, continues after it, or has too much content besides data is an ErrStream. Errors
// of recv and fn are returned unchanged.
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
			return fmt.Errorf("%w: too large, no end after %d items of %d bytes", ErrStream, t.items, size)
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

// drained checks that nothing follows the end.
func drained[M Message](recv func() (M, error)) error {
	switch _, err := recv(); {
	case err == nil:
		return fmt.Errorf("%w: it continues after its end", ErrStream)
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}
