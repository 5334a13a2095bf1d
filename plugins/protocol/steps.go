package protocol

import (
	"context"
	"sync"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// maxSteps is how many steps of a call may be open at once.
const maxSteps = 10_000

// maxStep is how many bytes a step's text has at most; more is cut.
const maxStep = 300

// SendSteps returns a context in which stage.Step sends the steps of a call, and
// what ends that: send is not called any more when it has returned. A step that
// can't be sent is not told; who sends the answer learns why.
func SendSteps(ctx context.Context, send func(*pb.Step) error) (context.Context, func()) {
	var mu sync.Mutex
	var last uint64
	over := false
	tell := func(step *pb.Step) uint64 {
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
		id := tell(&pb.Step{Text: Printable(text[:min(len(text), maxStep)])})
		if id == 0 {
			return func() {}
		}
		return sync.OnceFunc(func() { tell(&pb.Step{Id: id, Done: true}) })
	})
	return ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
	}
}

// stepMessage is a message of an answer that tells of steps before its content.
type stepMessage interface {
	Message
	GetStep() *pb.Step
}

// ReceiveSteps is Receive for an answer that tells of steps: it reports them by
// stage.Step of ctx, and hands fn the other messages.
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
			return broken("a step ends that has not begun, or begins twice")
		case len(open) >= maxSteps:
			return broken("more than %d steps are open at once", maxSteps)
		default:
			open[step.Id] = stage.Step(ctx, Printable(step.Text[:min(len(step.Text), maxStep)]))
		}
		return nil
	})
}

// Nothing is what ReceiveSteps calls for an answer without content.
func Nothing[M any](M, *Tally) error { return nil }
