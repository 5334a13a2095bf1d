package protocol

import (
	"context"
	"sync"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// maxSteps is the maximum number of open steps in a call.
const maxSteps = 10_000

// maxStep is the maximum length of a step's text, in bytes; the rest is cut off.
const maxStep = 300

// SendSteps returns a context in which stage.Step sends the steps of a call, and a function
// that ends this; send is not called after that function has returned. Steps that can't be
// sent are dropped, since sending the reply will return the error.
func SendSteps(ctx context.Context, send func(*pb.Step) error) (context.Context, func()) {
	var mu sync.Mutex
	var last uint64
	over := false
	sendStep := func(step *pb.Step) uint64 {
		mu.Lock()
		defer mu.Unlock()
		if over {
			return 0
		}
		if step.Id == 0 {
			last++
			step.Id = last
		}
		over = send(step) != nil
		return step.Id
	}
	ctx = stage.WithSteps(ctx, func(text string) func() {
		id := sendStep(&pb.Step{Text: Printable(text[:min(len(text), maxStep)])})
		if id == 0 {
			return func() {}
		}
		return sync.OnceFunc(func() { sendStep(&pb.Step{Id: id, Done: true}) })
	})
	return ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
	}
}

// stepMessage is a message of a reply that reports steps before its content.
type stepMessage interface {
	Message
	GetStep() *pb.Step
}

// ReceiveSteps is like Receive, for a reply that reports steps: it reports them with
// stage.Step in ctx, and passes the other messages to fn.
func ReceiveSteps[M stepMessage](ctx context.Context, recv func() (M, error), fn func(m M, t *Tally) error) error {
	open := map[uint64]func(){}
	defer func() {
		for _, done := range open {
			done()
		}
	}()
	return Receive(recv, func(m M, t *Tally) error {
		step := m.GetStep()
		if step == nil {
			return fn(m, t)
		}
		done, known := open[step.Id]
		switch {
		case step.Done && known:
			delete(open, step.Id)
			done()
		case step.Done || known || step.Id == 0:
			return broken("a step ends without having begun, or begins twice")
		case len(open) >= maxSteps:
			return broken("more than %d steps are open at once", maxSteps)
		default:
			open[step.Id] = stage.Step(ctx, Printable(step.Text[:min(len(step.Text), maxStep)]))
		}
		return nil
	})
}

// Nothing is the fn of ReceiveSteps for a reply without content.
func Nothing[M any](M, *Tally) error { return nil }
