package host

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
)

// steps returns a context that reports the steps of a plugin to ctx, without the secrets of
// its stages.
func (i *instance) steps(ctx context.Context) context.Context {
	return stage.WithSteps(ctx, func(text string) func() { return stage.Step(ctx, i.hidden(text)) })
}

// hidden removes the secrets of the plugin's stages from text.
func (i *instance) hidden(text string) string {
	i.mu.Lock()
	p := i.process
	i.mu.Unlock()
	return p.output.secrets.Redact(text)
}
