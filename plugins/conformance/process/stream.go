package process

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"testing"

	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// shelf is an open storage and the check's own prefix in it.
type shelf struct {
	*process
	id     uint64
	prefix string
}

func (s Subject) shelf(t testing.TB) *shelf {
	t.Helper()
	p := s.running(t)
	place := &shelf{process: p, id: s.open(t, p), prefix: "t" + strings.ToLower(rand.Text()[:12]) + "/"}
	t.Cleanup(func() { place.clear(t) })
	return place
}

// clear removes the objects of a check. Cleanup functions run in reverse order, so it runs
// before the process ends.
func (s *shelf) clear(t testing.TB) {
	ctx := context.WithoutCancel(t.Context())
	for _, name := range s.names(ctx, t) {
		if _, err := pb.NewStorageClient(s.conn).Delete(ctx, &pb.DeleteRequest{Instance: s.id, Name: name}); err != nil {
			t.Errorf("removing what the check stored: %v", err)
		}
	}
}

func (s *shelf) names(ctx context.Context, t testing.TB) (names []string) {
	t.Helper()
	if err := s.list(ctx, s.id, s.prefix, func(o *pb.Object) { names = append(names, o.GetName()) }); err != nil {
		t.Errorf("listing: %v%s", err, s.said)
	}
	return names
}

func (p *process) list(ctx context.Context, id uint64, prefix string, fn func(*pb.Object)) error {
	stream, err := pb.NewStorageClient(p.conn).List(ctx, &pb.ListRequest{Instance: id, Prefix: prefix})
	if err != nil {
		return err
	}
	return protocol.Receive(stream.Recv, func(m *pb.ListResponse, t *protocol.Tally) error {
		t.Items(len(m.Objects))
		for _, o := range m.Objects {
			fn(o)
		}
		return nil
	})
}

// get reads a complete object.
func (s *shelf) get(ctx context.Context, name string) (data []byte, err error) {
	stream, err := pb.NewStorageClient(s.conn).Get(ctx, &pb.GetRequest{Instance: s.id, Name: s.prefix + name, Length: -1})
	if err != nil {
		return nil, err
	}
	err = protocol.Receive(stream.Recv, func(m *pb.Frame, t *protocol.Tally) error {
		t.Data(m.Data)
		data = append(data, m.Data...)
		return nil
	})
	return data, err
}

// messages returns the messages of a valid Put.
func (s *shelf) messages(name string, data []byte, piece int) (all []*pb.PutRequest) {
	var t protocol.Tally
	all = append(all, &pb.PutRequest{Head: &pb.PutHead{Instance: s.id, Name: s.prefix + name, Size: uint64(len(data))}})
	for len(data) > 0 {
		n := min(piece, len(data))
		t.Data(data[:n])
		all = append(all, &pb.PutRequest{Data: data[:n]})
		data = data[n:]
	}
	return append(all, &pb.PutRequest{End: t.End()})
}

var errGivenUp = errors.New("abandoned")

// send sends messages as a Put. If cut is set, the call is cancelled after them.
func (s *shelf) send(ctx context.Context, all []*pb.PutRequest, cut bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stream, err := pb.NewStorageClient(s.conn).Put(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		if stream.Send(m) != nil {
			break // CloseAndRecv returns the error
		}
	}
	if cut {
		cancel(errGivenUp)
	}
	_, err = stream.CloseAndRecv()
	return err
}

// noise returns n bytes that differ from piece to piece.
func noise(n int) []byte {
	b := make([]byte, n)
	mathrand.NewChaCha8([32]byte{byte(n)}).Read(b) // never fails
	return b
}

func (s Subject) wholeStream(t testing.TB) {
	place := s.shelf(t)
	data := noise(3_000_000)
	for _, piece := range []int{997, 32 << 10, protocol.FrameSize, 1 << 20} {
		name := fmt.Sprint("piece-", piece)
		if err := place.send(t.Context(), place.messages(name, data, piece), false); err != nil {
			t.Errorf("an object in pieces of %d bytes: %v", piece, err)
			continue
		}
		if got, err := place.get(t.Context(), name); err != nil || !bytes.Equal(got, data) {
			t.Errorf("an object in pieces of %d bytes is not returned: %d of %d bytes (%v)", piece, len(got), len(data), err)
		}
	}
}

// spoiled is a stream that must be refused.
type spoiled struct {
	what  string
	spoil func(all []*pb.PutRequest) []*pb.PutRequest
}

// last returns the end of the last message.
func last(all []*pb.PutRequest) *pb.End { return all[len(all)-1].End }

func spoils() []spoiled {
	type stream = []*pb.PutRequest
	return []spoiled{
		{"without messages", func(stream) stream { return nil }},
		{"with a head only", func(all stream) stream { return all[:1] }},
		{"without a head", func(all stream) stream { return all[1:] }},
		{"with two heads", func(all stream) stream { all[2].Head = all[0].Head; return all }},
		{"without an end", func(all stream) stream { return all[:len(all)-1] }},
		{"with a missing piece", func(all stream) stream { return append(all[:3], all[4:]...) }},
		{"with a repeated piece", func(all stream) stream { all[4] = all[3]; return all }},
		{"in the wrong order", func(all stream) stream { all[3], all[4] = all[4], all[3]; return all }},
		{"with a wrong checksum", func(all stream) stream { last(all).Crc32++; return all }},
		{"with a wrong count of bytes", func(all stream) stream { last(all).Bytes++; return all }},
		{"with a wrong count of items", func(all stream) stream { last(all).Items++; return all }},
		{"whose head has a larger size", func(all stream) stream { all[0].Head.Size++; return all }},
		{"whose head has a smaller size", func(all stream) stream { all[0].Head.Size--; return all }},
		{"whose head has a size of an exabyte", func(all stream) stream { all[0].Head.Size = 1 << 60; return all }},
		{"with two ends", func(all stream) stream { return append(all, all[len(all)-1]) }},
		{"with data after its end", func(all stream) stream { return append(all, &pb.PutRequest{Data: []byte("more")}) }},
		{"for an instance that is not open", func(all stream) stream { all[0].Head.Instance += 1000; return all }},
		{"with a name outside the location", func(all stream) stream { all[0].Head.Name = "../" + all[0].Head.Name; return all }},
	}
}

func (s Subject) brokenStreams(t testing.TB) {
	place := s.shelf(t)
	ctx, data := t.Context(), noise(100_000)
	try := func(what string, all []*pb.PutRequest, cut bool) {
		t.Helper()
		err := place.send(ctx, all, cut)
		if err == nil {
			t.Errorf("a Put %s is accepted", what)
		}
		place.lives(t, "a Put "+what, err)
		if left := place.names(ctx, t); len(left) > 0 {
			t.Errorf("a Put %s stores %q", what, left)
		}
		place.clear(t)
	}
	for _, s := range spoils() {
		try(s.what, s.spoil(place.messages("spoiled", data, 10_000)), false)
	}
	try("with a message of 17 MiB", place.messages("spoiled", make([]byte, 17<<20), 17<<20), false)
	try("that was abandoned", place.messages("spoiled", data, 10_000)[:6], true)
	if err := place.send(ctx, place.messages("right", data, 10_000), false); err != nil {
		t.Errorf("a valid Put after all these: %v", err)
	}
}
