package python_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// messages returns the messages of a valid Put.
func messages(id uint64, name string, data []byte, piece int) (all []*pb.PutRequest) {
	var t protocol.Tally
	all = append(all, &pb.PutRequest{Head: &pb.PutHead{Instance: id, Name: name, Size: uint64(len(data))}})
	for len(data) > 0 {
		n := min(piece, len(data))
		t.Data(data[:n])
		all = append(all, &pb.PutRequest{Data: data[:n]})
		data = data[n:]
	}
	return append(all, &pb.PutRequest{End: t.End()})
}

// send sends messages as a Put and returns its error.
func (p *process) send(t testing.TB, all []*pb.PutRequest) error {
	t.Helper()
	stream, err := pb.NewStorageClient(p.conn).Put(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if stream.Send(m) != nil {
			break // CloseAndRecv returns the error
		}
	}
	_, err = stream.CloseAndRecv()
	return err
}

// files returns the paths below dir, except directories.
func files(t testing.TB, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err == nil && !d.IsDir() {
			all = append(all, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// noise returns n bytes that differ from piece to piece.
func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestPiecesOfAnySizeAreStored(t *testing.T) {
	p := start(t)
	id, dir := p.open(t)
	data := noise(3_000_000)
	for _, piece := range []int{997, 32 << 10, protocol.FrameSize, 1 << 20} {
		name := fmt.Sprint("piece-", piece)
		if err := p.send(t, messages(id, name, data, piece)); err != nil {
			t.Errorf("pieces of %d: %v", piece, err)
			continue
		}
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, data) {
			t.Errorf("pieces of %d: stored %d bytes or wrong content (%v)", piece, len(got), err)
		}
	}
}

func TestIncompleteStreamStoresNothing(t *testing.T) {
	p := start(t)
	id, dir := p.open(t)
	data := noise(100_000)
	for what, spoil := range map[string]func(all []*pb.PutRequest) []*pb.PutRequest{
		"nothing at all": func([]*pb.PutRequest) []*pb.PutRequest { return nil },
		"only a head":    func(all []*pb.PutRequest) []*pb.PutRequest { return all[:1] },
		"no head":        func(all []*pb.PutRequest) []*pb.PutRequest { return all[1:] },
		"no end":         func(all []*pb.PutRequest) []*pb.PutRequest { return all[:len(all)-1] },
		"a piece is missing": func(all []*pb.PutRequest) []*pb.PutRequest {
			return append(all[:3], all[4:]...)
		},
		"a piece is repeated": func(all []*pb.PutRequest) []*pb.PutRequest {
			all[4] = all[3]
			return all
		},
		"pieces are reordered": func(all []*pb.PutRequest) []*pb.PutRequest {
			all[3], all[4] = all[4], all[3]
			return all
		},
		"a wrong checksum": func(all []*pb.PutRequest) []*pb.PutRequest {
			all[len(all)-1].End.Crc32++
			return all
		},
		"a wrong length": func(all []*pb.PutRequest) []*pb.PutRequest {
			all[len(all)-1].End.Bytes++
			return all
		},
		"a wrong count of items": func(all []*pb.PutRequest) []*pb.PutRequest {
			all[len(all)-1].End.Items++
			return all
		},
		"a head with a larger size": func(all []*pb.PutRequest) []*pb.PutRequest {
			all[0].Head.Size++
			return all
		},
		"a head with a smaller size": func(all []*pb.PutRequest) []*pb.PutRequest {
			all[0].Head.Size--
			return all
		},
		"a head with a huge size": func(all []*pb.PutRequest) []*pb.PutRequest {
			all[0].Head.Size = 1 << 60
			return all
		},
		"two heads": func(all []*pb.PutRequest) []*pb.PutRequest {
			return append(all[:1], all...)
		},
		"data after the end": func(all []*pb.PutRequest) []*pb.PutRequest {
			return append(all, &pb.PutRequest{Data: []byte("more")})
		},
		"two ends": func(all []*pb.PutRequest) []*pb.PutRequest {
			return append(all, all[len(all)-1])
		},
		"another instance": func(all []*pb.PutRequest) []*pb.PutRequest {
			all[0].Head.Instance += 100
			return all
		},
		"a name outside the directory": func(all []*pb.PutRequest) []*pb.PutRequest {
			all[0].Head.Name = "../outside"
			return all
		},
		"a message that is too large": func(all []*pb.PutRequest) []*pb.PutRequest {
			return messages(id, "spoiled", make([]byte, 16<<20), 16<<20)
		},
	} {
		t.Run(what, func(t *testing.T) {
			err := p.send(t, spoil(messages(id, "spoiled", data, 10_000)))
			if err == nil {
				t.Error("no error")
			}
			if left := files(t, filepath.Dir(dir)); len(left) > 0 {
				t.Errorf("after %v there are %q", err, left)
			}
		})
	}
	if err := p.send(t, messages(id, "right", data, 10_000)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// Random bytes instead of messages end the call with an error and have no other effect.
func TestRandomBytesStoreNothing(t *testing.T) {
	p := start(t)
	id, dir := p.open(t)
	var right [][]byte
	for _, m := range messages(id, "right", noise(1000), 100) {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		right = append(right, b)
	}
	r := rand.New(rand.NewPCG(1, 2))
	desc := &grpc.StreamDesc{ClientStreams: true}
	for n := range 300 {
		stream, err := p.conn.NewStream(t.Context(), desc, pb.Storage_Put_FullMethodName, grpc.ForceCodec(plain{}))
		if err != nil {
			t.Fatal(err)
		}
		spoiled := r.IntN(len(right))
		for i, m := range right {
			if m = bytes.Clone(m); i == spoiled {
				switch at := r.IntN(len(m)); n % 3 {
				case 0:
					m = m[:at]
				case 1:
					m[at] ^= 1 << r.IntN(8)
				case 2:
					m = append(m, noise(r.IntN(50)+1)...)
				}
			}
			if stream.SendMsg(m) != nil {
				break
			}
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		var answer []byte
		err = stream.RecvMsg(&answer)
		left := files(t, dir)
		if err == nil { // the change may be harmless: a name, or an unknown field
			for _, name := range left {
				if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, noise(1000)) {
					t.Fatalf("round %d: a changed stream is stored as %d other bytes (%v)", n, len(got), err)
				}
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			continue
		}
		if len(left) > 0 {
			t.Fatalf("round %d: after %v there are %q", n, err, left)
		}
	}
}

// plain is a codec that sends bytes unchanged.
type plain struct{}

func (plain) Name() string { return "proto" }

func (plain) Marshal(v any) ([]byte, error) {
	b, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("%T", v)
	}
	return b, nil
}

func (plain) Unmarshal(b []byte, v any) error {
	to, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("%T", v)
	}
	*to = bytes.Clone(b)
	return nil
}

// A Put that is cut off stores nothing and frees its memory.
func TestCutOffStreamStoresNothing(t *testing.T) {
	p := start(t)
	id, dir := p.open(t)
	all := messages(id, "broken", noise(100_000), 10_000)
	for range 100 { // more than the limit of concurrent calls
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := pb.NewStorageClient(p.conn).Put(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all[:5] {
			if err := stream.Send(m); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		if err := stream.RecvMsg(&pb.PutResponse{}); status.Code(err) != codes.Canceled {
			t.Errorf("%v", err)
		}
	}
	if err := p.send(t, messages(id, "right", noise(100), 10)); err != nil {
		t.Error(err)
	}
	if left := files(t, dir); len(left) != 1 || left[0] != "right" {
		t.Errorf("%q remain", left)
	}
}

func BenchmarkPutAndGet(b *testing.B) {
	s := opened(b, directory(b), b.TempDir())
	data := noise(64 << 20)
	for name, call := range map[string]func() error{
		"put": func() error { return s.Put(b.Context(), "large", data) },
		"get": func() error { _, err := s.Get(b.Context(), nil, "large", 0, -1); return err },
	} {
		if err := s.Put(b.Context(), "large", data); err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if err := call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	if err := s.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
}
