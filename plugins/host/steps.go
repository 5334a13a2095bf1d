package host

import (
	"context"

	"github.com/lmsvault/vault/core/progress"
)

// steps returns a context that reports the steps which a plugin tells of to ctx,
// without the secrets of its stages.
func (i *instance) steps(ctx context.Context) context.Context {
	i.mu.Lock()
	p := i.process
	i.mu.Unlock()
	return progress.WithSteps(ctx, func(text string) func() {
		return progress.Step(ctx, p.output.secrets.Redact(text))
	})
}
