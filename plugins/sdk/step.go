package sdk

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
)

// Step reports the start of a long step in a sink's Begin, Finish, Prove or Publish:
// "building the indexes of log". The caller calls done when the step has ended. Step may be
// called from many goroutines at once; ctx is the context of the call.
func Step(ctx context.Context, text string) (done func()) { return stage.Step(ctx, text) }
