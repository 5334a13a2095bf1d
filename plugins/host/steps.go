package host

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
)

// steps returns a context that reports the steps which a plugin tells of to ctx,
// without the secrets of its stages.
func (i *instance) steps(ctx context.Context) context.Context {
	i.mu.Lock()
	p := i.process
	i.mu.Unlock()
	return stage.WithSteps(ctx, func(text string) func() {
		return stage.Step(ctx, p.output.secrets.Redact(text))
	})
}
