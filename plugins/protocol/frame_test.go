package protocol

import (
	"errors"
	"strings"
	"testing"

	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// again is a stream that repeats a message, without limit if often is 0.
func again[M any](m M, often int) func() (M, error) {
	return func() (M, error) {
		if often--; often == 0 {
			return m, errors.New("not stopped")
		}
		return m, nil
	}
}

// A plugin that sends an endless stream, which the host must hold, is stopped long before
// memory runs out: by size, and by number of items.
func TestEndlessStreamIsStopped(t *testing.T) {
	large := &pb.CheckResponse{Notes: []*pb.Note{{Text: strings.Repeat("x", 1<<20)}}}
	if _, err := ReceiveCheck(again(large, 2000)); !errors.Is(err, ErrStream) {
		t.Errorf("large items: %v", err)
	}
	small := &pb.ListResponse{Objects: []*pb.Object{{}}}
	count := func(_ *pb.ListResponse, t *Tally) error { t.Items(1 << 20); return nil }
	if err := Receive(again(small, 2000), count); !errors.Is(err, ErrStream) {
		t.Errorf("small items: %v", err)
	}
}

// Content that is passed on rather than held may have any size: file events, bytes.
func TestPassedOnStreamMayBeLong(t *testing.T) {
	event := &pb.UnitEvent{Drop: true}
	count := func(_ *pb.UnitEvent, t *Tally) error { t.Items(1 << 20); return nil }
	if err := Receive(again(event, 2000), count); err == nil || errors.Is(err, ErrStream) {
		t.Errorf("a unit's events: %v", err)
	}
	frame := &pb.Frame{Data: make([]byte, FrameSize)}
	if err := Receive(again(frame, 5000), func(*pb.Frame, *Tally) error { return nil }); err == nil || errors.Is(err, ErrStream) {
		t.Errorf("bytes: %v", err)
	}
}
