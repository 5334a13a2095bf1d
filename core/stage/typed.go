package stage

import (
	"context"

	"github.com/lmsvault/vault/core/failure"
)

// Typed adapts a constructor that takes its own configuration type to a field of Stage. The
// result returns an error if the configuration was not made by the stage's Info.Config.
func Typed[C, S any](open func(ctx context.Context, cfg *C, env Env) (S, error)) func(context.Context, any, Env) (S, error) {
	return func(ctx context.Context, cfg any, env Env) (S, error) {
		c, ok := cfg.(*C)
		if !ok || c == nil {
			var none S
			return none, failure.New(failure.Usage, "stage configuration has type %T, want %T", cfg, c)
		}
		return open(ctx, c, env)
	}
}
