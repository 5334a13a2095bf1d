package host

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
)

// steps returns a context that reports the steps which a plugin tells of to ctx,
// without the secrets of its stages.
func (i *instance) steps(ctx context.Context) context.Context {
	return stage.WithSteps(ctx, func(text string) func() { return stage.Step(ctx, i.hidden(text)) })
}

// hidden is a text of a plugin without the secrets of its stages.
func (i *instance) hidden(text string) string {
	i.mu.Lock()
	p := i.process
	i.mu.Unlock()
	return p.output.secrets.Redact(text)
}
