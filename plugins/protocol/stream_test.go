package protocol

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// rightPut returns a valid stream of a Put.
func rightPut(data []byte) (all []*pb.PutRequest) {
	var t Tally
	head := &pb.PutHead{Instance: 1, Name: "packs/a", Size: uint64(len(data))}
	for piece := range slices.Chunk(data, 7) {
		t.Data(piece)
		all = append(all, &pb.PutRequest{Head: head, Data: piece})
		head = nil
	}
	return append(all, &pb.PutRequest{Head: head, End: t.End()})
}

// spoil changes a stream as a faulty peer might: each pair of bytes in orders says how and
// where.
func spoil(all []*pb.PutRequest, orders []byte) []*pb.PutRequest {
	for order := range slices.Chunk(orders, 2) {
		if len(order) < 2 || len(all) == 0 {
			break
		}
		at := int(order[1]) % len(all)
		m, ok := proto.Clone(all[at]).(*pb.PutRequest)
		if !ok {
			break
		}
		switch order[0] % 8 {
		case 0: // a message is missing
			all = slices.Delete(slices.Clone(all), at, at+1)
			continue
		case 1: // a message is repeated
			all = slices.Insert(slices.Clone(all), at, m)
			continue
		case 2: // messages are swapped
			all = slices.Clone(all)
			other := int(order[1]/16) % len(all)
			all[at], all[other] = all[other], all[at]
			continue
		case 3: // the stream is cut off
			all = all[:at]
			continue
		case 4: // cut
			m.Data = m.Data[:len(m.Data)/2]
		case 5: // changed
			if len(m.Data) > 0 {
				m.Data[0] ^= 1 << (order[1] % 8)
			}
		case 6: // oversized
			m.Data = append(m.Data, m.Data...)
		case 7: // another end
			m.End = &pb.End{Bytes: uint64(order[1]), Items: uint64(order[0] / 64)}
		}
		all = slices.Clone(all)
		all[at] = m
	}
	return all
}

// FuzzSpoiledStream checks that a changed stream is refused, or has the content sent, and
// is never endless.
func FuzzSpoiledStream(f *testing.F) {
	for what := range byte(8) {
		f.Add([]byte("an object of several pieces, none of them long"), []byte{what, 2})
		f.Add([]byte("an object of several pieces, none of them long"), []byte{what, 0, 2, what, 3, 200})
	}
	f.Add([]byte{}, []byte{1, 0})
	f.Fuzz(func(t *testing.T, data, orders []byte) {
		all := spoil(rightPut(bytes.Clone(data)), orders[:min(len(orders), 64)])
		next := 0
		var got []byte
		var heads int
		err := Receive(func() (*pb.PutRequest, error) {
			if next == len(all) {
				return nil, io.EOF
			}
			next++
			return all[next-1], nil
		}, func(m *pb.PutRequest, tally *Tally) error {
			if m.Head != nil {
				heads++
			}
			tally.Data(m.Data)
			got = append(got, m.Data...)
			return nil
		})
		switch {
		case err != nil && !errors.Is(err, ErrStream):
			t.Errorf("spoiled stream: %v", err)
		case err == nil && (heads != 1 || !bytes.Equal(got, data)) && !ownEnd(all):
			t.Errorf("sent %q, got %q", data, got)
		}
	})
}

// ownEnd reports whether the end happens to match the remaining messages.
func ownEnd(all []*pb.PutRequest) bool {
	last := all[len(all)-1]
	return last.End.GetBytes() == 0 && last.End.GetCrc32() == 0
}
