package stage

import "context"

type stepKey struct{}

// StepFunc is told that a step begins, and returns what is called when it ends.
// It is safe for concurrent use and never blocks.
type StepFunc func(text string) (done func())

// WithSteps returns a context by which Step reports to f. The engine calls stages
// with such a context.
func WithSteps(ctx context.Context, f StepFunc) context.Context {
	return context.WithValue(ctx, stepKey{}, f)
}

// Step reports that a long single step begins: building indexes, reading a table
// back, exchanging the old site for the new one. The caller calls done, once, when
// it has ended, also after an error. Without a listener in ctx it does nothing. In a
// plugin's process the steps of Begin, Finish, Prove and Publish are reported; of other
// calls there the engine only knows the call.
func Step(ctx context.Context, text string) (done func()) {
	if f, ok := ctx.Value(stepKey{}).(StepFunc); ok {
		return f(text)
	}
	return func() {}
}
