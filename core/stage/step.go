package stage

import "context"

type stepKey struct{}

// StepFunc is called when a step begins; the function it returns is called when the step
// ends. It is safe for concurrent use and must not block.
type StepFunc func(text string) (done func())

// WithSteps returns a context in which Step reports to f. The engine calls stages with such
// a context.
func WithSteps(ctx context.Context, f StepFunc) context.Context {
	return context.WithValue(ctx, stepKey{}, f)
}

// Step reports the start of a long step: building indexes, reading a table back, exchanging
// the old site for the new one. The caller calls done once when the step has ended, also
// after an error. Step does nothing if ctx has no StepFunc. Steps of a plugin are reported
// during Begin, Finish, Prove and Publish; during other calls the engine only knows the
// call.
func Step(ctx context.Context, text string) (done func()) {
	if f, ok := ctx.Value(stepKey{}).(StepFunc); ok {
		return f(text)
	}
	return func() {}
}
