package repository

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/stage"
)

// Chain configures how a reader opens a repository.
type Chain struct {
	// Transform returns the transform called name, configured with the passphrase or
	// identity. It is called for each key, and must return a new transform each time.
	Transform func(ctx context.Context, name string) (stage.ByteTransform, error)
	// Secret reports that a passphrase or an identity was given. Unencrypted
	// repositories are then refused.
	Secret bool
	// Signers are the trusted signers. If there are any, reading a snapshot that none
	// of them has signed returns manifest.ErrUnsigned.
	Signers []manifest.Signer
}

// Repository reads snapshots, and removes them with Forget and Prune. Long operations
// take a lock; see docs/repository.md. It is safe for concurrent use.
type Repository struct {
	storage stage.Storage
	chain   Chain
	root    object.Root
	kids    []string
	sealed  bool // unencrypted keys are refused

	mu     sync.Mutex
	opened map[string]*reading
}

// reading is an opened generation, or the error of opening it.
type reading struct {
	generation *keyring.Generation
	err        error
	chunks     *pack.ChunkReader // created on first use
}

// Open opens the repository in a storage. It takes ownership of the storage, and closes it
// on error. The error is of class failure.Refused if there is no repository, its format
// is unknown, it is unencrypted although a secret was given, or only some of its keys are
// encrypted. The error is stage.ErrKey if no key can be opened.
func Open(ctx context.Context, s stage.Storage, chain Chain) (*Repository, error) {
	r := &Repository{storage: guard(s), chain: chain, opened: map[string]*reading{}}
	if err := r.open(ctx); err != nil {
		return nil, errors.Join(err, r.storage.Close(context.WithoutCancel(ctx)))
	}
	return r, nil
}

func (r *Repository) open(ctx context.Context) error {
	var err error
	if r.root, err = object.ReadRoot(ctx, r.storage); errors.Is(err, stage.ErrNotExist) {
		if err := absent(ctx, r.storage); !errors.Is(err, ErrNoRepository) {
			return err
		}
		return failure.New(failure.Refused, "%w; check the path, and that its disk is mounted", ErrNoRepository)
	}
	if err != nil {
		return err
	}
	if r.kids, err = keyring.ListKeys(ctx, r.storage); err != nil {
		return err
	}
	if err := r.checkSecrecy(ctx); err != nil {
		return err
	}
	var failed error
	for _, kid := range r.kids {
		if _, err := r.generation(ctx, kid); err == nil {
			return nil
		} else if failed == nil || errors.Is(err, stage.ErrKey) {
			failed = err
		}
	}
	if errors.Is(failed, stage.ErrKey) {
		return failure.Wrap(failure.Refused, failed)
	}
	return failed
}

// checkSecrecy checks all keys before any is used, because anyone with write access to
// the storage can add one.
func (r *Repository) checkSecrecy(ctx context.Context) error {
	keys := map[string]keyring.KeyFile{}
	for _, kid := range r.kids {
		k, err := keyring.ReadKey(ctx, r.storage, r.root, kid)
		if _, lost := object.AsDamage(err); lost {
			continue // it can't be used
		}
		if err != nil {
			return err
		}
		keys[kid] = k
	}
	sealed, err := keyring.Secrecy(keys)
	if err != nil {
		return err
	}
	r.sealed = sealed || r.chain.Secret
	if r.sealed && !sealed && len(keys) > 0 {
		return keyring.ErrClear
	}
	return nil
}

// Close closes the storage.
func (r *Repository) Close(ctx context.Context) error { return r.storage.Close(ctx) }

// generation opens a key, once.
func (r *Repository) generation(ctx context.Context, kid string) (*keyring.Generation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rd := r.readingLocked(ctx, kid)
	return rd.generation, rd.err
}

func (r *Repository) readingLocked(ctx context.Context, kid string) *reading {
	rd, ok := r.opened[kid]
	if !ok {
		rd = &reading{}
		rd.generation, rd.err = r.openKey(ctx, kid)
		if ctx.Err() == nil { // an interrupted attempt must not be remembered
			r.opened[kid] = rd
		}
	}
	return rd
}

func (r *Repository) openKey(ctx context.Context, kid string) (*keyring.Generation, error) {
	k, err := keyring.ReadKey(ctx, r.storage, r.root, kid)
	if err != nil {
		return nil, err
	}
	if r.sealed && !k.Encrypted() { // it was added after Open
		return nil, failure.New(failure.Refused, "%s%s: %w", object.KeysDir, kid, keyring.ErrClear)
	}
	chain, err := r.makeChain(ctx, kid, k)
	if err != nil {
		return nil, err
	}
	return keyring.OpenGeneration(ctx, r.storage, r.root, kid, k, chain)
}

// makeChain returns new transforms for a key.
func (r *Repository) makeChain(ctx context.Context, kid string, k keyring.KeyFile) ([]stage.ByteTransform, error) {
	chain := make([]stage.ByteTransform, len(k.Transforms))
	for i, t := range k.Transforms {
		var err error
		if chain[i], err = r.chain.Transform(ctx, t.Name); err != nil {
			return nil, fmt.Errorf("%s%s uses transform %s: %w", object.KeysDir, kid, t.Name, err)
		}
	}
	return chain, nil
}

// chunks returns the reader of a generation's chunks. The first call reads the index.
func (r *Repository) chunks(ctx context.Context, kid string) (*pack.ChunkReader, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rd := r.readingLocked(ctx, kid)
	if rd.err != nil || rd.chunks != nil {
		return rd.chunks, rd.err
	}
	x, err := pack.LoadIndex(ctx, r.storage, rd.generation, true)
	if err != nil {
		return nil, err
	}
	rd.chunks = pack.NewChunkReader(r.storage, rd.generation, x)
	return rd.chunks, nil
}
