package protocol

import (
	"bytes"
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// split divides bytes as a connection might.
func split(b []byte, size int) mem.BufferSlice {
	var s mem.BufferSlice
	for len(b) > size {
		s = append(s, mem.SliceBuffer(b[:size]))
		b = b[size:]
	}
	return append(s, mem.SliceBuffer(b))
}

// FuzzCodec checks that any input is decoded as by protobuf's own decoder, or refused by
// both.
func FuzzCodec(f *testing.F) {
	seed := func(m proto.Message) {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint8(len(b)))
		f.Add(append(b, b...), uint8(3)) // the last value of a repeated field number counts
	}
	seed(&pb.PutRequest{Head: &pb.PutHead{Instance: 1, Name: "packs/a", Size: 3}, Data: []byte("abc"), End: &pb.End{Bytes: 3, Crc32: 7}})
	seed(&pb.PutRequest{End: &pb.End{}})
	f.Add([]byte{0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, uint8(1))
	f.Add([]byte{0x12, 0x05, 1}, uint8(1))
	f.Add([]byte{0x23, 0x24}, uint8(1))
	f.Fuzz(func(t *testing.T, wire []byte, size uint8) {
		want := &pb.PutRequest{}
		wantErr := proto.Unmarshal(wire, want)
		got := &pb.PutRequest{Data: make([]byte, 0, 16), Head: &pb.PutHead{Size: 5}, End: &pb.End{Items: 1}}
		err := newCodec().Unmarshal(split(bytes.Clone(wire), int(size)+1), got)
		if err == nil && wantErr == nil {
			got.ProtoReflect().SetUnknown(want.ProtoReflect().GetUnknown())
			if !bytes.Equal(got.Data, want.Data) {
				t.Errorf("data %q, want %q", got.Data, want.Data)
			}
			got.Data, want.Data = nil, nil
			if !proto.Equal(got, want) {
				t.Errorf("read as %v, want %v", got, want)
			}
		}
		if err == nil && wantErr != nil {
			t.Errorf("accepted, but protobuf returns: %v", wantErr)
		}
	})
}

func TestDataUsesGivenMemory(t *testing.T) {
	wire, err := proto.Marshal(&pb.Frame{Data: bytes.Repeat([]byte("x"), 1000)})
	if err != nil {
		t.Fatal(err)
	}
	room := make([]byte, 0, 2000)
	m := &pb.Frame{Data: room}
	if err := newCodec().Unmarshal(split(wire, 100), m); err != nil || len(m.Data) != 1000 || &m.Data[0] != &room[:1][0] {
		t.Errorf("%d bytes are not in the given memory: %v", len(m.Data), err)
	}
}
