package engine

import (
	"context"
	"fmt"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
)

// Stages finds the stages that a run needs beside those that its pipeline names:
// the default type map, and what a repository says it was written with.
type Stages interface {
	Find(role stage.Role, name string) (stage.Stage, bool)
}

// Keys makes the transforms that a repository says it was written with, for
// reading: the repository knows what was applied, the caller only gives the keys.
type Keys struct {
	Stages               Stages
	Env                  stage.Env
	Passphrase, Identity config.Secret
	Signers              []repository.Signer // if any, only what they have signed is read
}

// keyTaker is the configuration of a transform that works under a key.
type keyTaker interface {
	SetKeys(passphrase, identity config.Secret)
}

// Chain is how a repository is read with the keys.
func (k Keys) Chain() repository.Chain {
	return repository.Chain{Transform: k.Transform, Secret: !k.Passphrase.IsZero() || !k.Identity.IsZero(), Signers: k.Signers}
}

// Transform makes the byte transform of that name, with the keys.
func (k Keys) Transform(ctx context.Context, name string) (stage.ByteTransform, error) {
	s, ok := k.Stages.Find(stage.RoleTransform, name)
	if !ok || s.NewBytes == nil {
		return nil, failure.New(failure.Refused, "the repository was written with the transform %q, which this vault doesn't have: if a plugin has it, install that with vault plugin install in the folder where you work, or name a pipeline file of the folder where it is installed", name)
	}
	cfg := s.Config()
	if err := config.Defaults(cfg); err != nil {
		return nil, fmt.Errorf("transform %s: %w", name, err)
	}
	if t, ok := cfg.(keyTaker); ok {
		t.SetKeys(k.Passphrase, k.Identity)
	}
	return s.NewBytes(ctx, cfg, k.Env)
}
