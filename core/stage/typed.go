package stage

import (
	"context"

	"github.com/lmsvault/vault/core/failure"
)

// Typed makes of a function that opens a stage with its own configuration one that
// fits a Stage. A configuration of another type is refused: it is one that the
// stage's Info.Config has not made.
func Typed[C, S any](open func(ctx context.Context, cfg *C, env Env) (S, error)) func(context.Context, any, Env) (S, error) {
	return func(ctx context.Context, cfg any, env Env) (S, error) {
		c, ok := cfg.(*C)
		if !ok || c == nil {
			var none S
			return none, failure.New(failure.Usage, "a stage was given the configuration %T in place of %T", cfg, c)
		}
		return open(ctx, c, env)
	}
}
