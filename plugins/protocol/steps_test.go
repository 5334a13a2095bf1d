package protocol

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// stepped returns messages with steps, then an end.
func stepped(all ...*pb.Step) func() (*pb.FinishResponse, error) {
	return func() (*pb.FinishResponse, error) {
		if all == nil {
			return nil, io.EOF
		}
		if len(all) == 0 {
			all = nil
			return &pb.FinishResponse{End: &pb.End{}}, nil
		}
		m := &pb.FinishResponse{Step: all[0]}
		all = all[1:]
		return m, nil
	}
}

// open counts the steps that have not ended.
func open(ctx context.Context) (context.Context, *int, *[]string) {
	n, texts := 0, []string{}
	return stage.WithSteps(ctx, func(text string) func() {
		n++
		texts = append(texts, text)
		return func() { n-- }
	}), &n, &texts
}

// Steps of many goroutines arrive with their ends, and none after the reply.
func TestConcurrentSteps(t *testing.T) {
	sent := []*pb.Step{}
	ctx, over := SendSteps(t.Context(), func(m *pb.Step) error { sent = append(sent, m); return nil })
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() { stage.Step(ctx, fmt.Sprint("step ", i))() })
	}
	all.Wait()
	late := stage.Step(ctx, strings.Repeat("long ", 100))
	over()
	late()
	stage.Step(ctx, "after the answer")()
	if len(sent) != 101 || len(sent[100].Text) != maxStep {
		t.Errorf("%d messages were sent, the last one %v", len(sent), sent[len(sent)-1])
	}
	ctx, n, texts := open(t.Context())
	if err := ReceiveSteps(ctx, stepped(sent...), Nothing); err != nil {
		t.Fatal(err)
	}
	if *n != 0 || len(*texts) != 51 {
		t.Errorf("got %d steps, of which %d have not ended", len(*texts), *n)
	}
}

// Invalid steps are an error, and so are too many open ones.
func TestInvalidSteps(t *testing.T) {
	many := []*pb.Step{}
	for i := range maxSteps + 1 {
		many = append(many, &pb.Step{Id: uint64(i + 1)})
	}
	for _, bad := range [][]*pb.Step{
		{{Text: "without a number"}}, {{Id: 1}, {Id: 1}}, {{Id: 1, Done: true}}, {{Id: 1}, {Id: 1, Done: true}, {Id: 1, Done: true}}, many,
	} {
		ctx, n, _ := open(t.Context())
		if err := ReceiveSteps(ctx, stepped(bad...), Nothing); !errors.Is(err, ErrContract) || *n != 0 {
			t.Errorf("%v: %d steps are open, error %v", bad[:min(3, len(bad))], *n, err)
		}
	}
}
