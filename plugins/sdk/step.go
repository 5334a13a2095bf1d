package sdk

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
)

// Step reports that a long single step of a sink's Begin, Finish, Prove or Publish
// begins: "building the indexes of log". The caller calls done when it has ended. It
// may be called by many goroutines at once; ctx is the one of the call.
func Step(ctx context.Context, text string) (done func()) { return stage.Step(ctx, text) }
