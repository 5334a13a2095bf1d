package engine

import (
	"context"
	"fmt"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/stage"
)

// Stages finds stages that a run needs besides those that its pipeline names: the default
// type map, and the transforms that a repository was written with.
type Stages interface {
	Find(role stage.Role, name string) (stage.Stage, bool)
}

// Keys makes the transforms needed to read a repository. The repository records which
// transforms it was written with; the caller provides the keys.
type Keys struct {
	Stages               Stages
	Env                  stage.Env
	Passphrase, Identity config.Secret
	Signers              []manifest.Signer // if not empty, only snapshots signed by one of them are read
	// Owner restricts an identity without a passphrase to keys created by its holder,
	// because only those may be shared.
	Owner bool
}

// keyTaker is implemented by configurations of transforms that need a key.
type keyTaker interface {
	SetKeys(passphrase, identity config.Secret)
}

// Chain returns the keys as a repository.Chain.
func (k Keys) Chain() repository.Chain {
	return repository.Chain{Transform: k.Transform, Secret: !k.Passphrase.IsZero() || !k.Identity.IsZero(), Signers: k.Signers}
}

// Transform makes the byte transform with the given name, using the keys.
func (k Keys) Transform(ctx context.Context, name string) (stage.ByteTransform, error) {
	s, ok := k.Stages.Find(stage.RoleTransform, name)
	if !ok || s.NewBytes == nil {
		return nil, failure.New(failure.Refused, "the repository was written with the transform %q, which is not available; if it comes from a plugin, run vault plugin install in this directory, or use a pipeline file from the directory where the plugin is installed", name)
	}
	cfg := s.Config()
	if err := config.Defaults(cfg); err != nil {
		return nil, fmt.Errorf("transform %s: %w", name, err)
	}
	if t, ok := cfg.(keySharer); ok && k.Owner && k.Passphrase.IsZero() {
		t.SetOwner(k.Identity)
	} else if t, ok := cfg.(keyTaker); ok {
		identity := k.Identity
		if k.Owner { // unlike the passphrase, an identity does not prove who created the key
			identity = config.Secret{}
		}
		t.SetKeys(k.Passphrase, identity)
	}
	return s.NewBytes(ctx, cfg, k.Env)
}

// keySharer is implemented by configurations of transforms whose key can be shared.
type keySharer interface {
	SetOwner(identity config.Secret)
	SetReaders(recipients []string, passphrase config.Secret)
}

// Readers makes transforms for additional readers of a repository's keys.
type Readers struct {
	Stages     Stages
	Env        stage.Env
	Recipients []string
	Passphrase config.Secret
}

// Transform makes the byte transform with the given name.
func (r Readers) Transform(ctx context.Context, name string) (stage.ByteTransform, error) {
	s, ok := r.Stages.Find(stage.RoleTransform, name)
	if !ok || s.NewBytes == nil {
		return nil, failure.New(failure.Refused, "transform %q is not available", name)
	}
	cfg := s.Config()
	if err := config.Defaults(cfg); err != nil {
		return nil, fmt.Errorf("transform %s: %w", name, err)
	}
	t, ok := cfg.(keySharer)
	if !ok {
		return nil, failure.New(failure.Refused, "transform %s does not support sharing its key", name)
	}
	t.SetReaders(r.Recipients, r.Passphrase)
	return s.NewBytes(ctx, cfg, r.Env)
}
