package repository

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// Chain is what a reader was given to open a repository with.
type Chain struct {
	// Transform makes a transform by the name that a key names it by, with the
	// passphrase or identity. It is called anew for each key.
	Transform func(ctx context.Context, name string) (stage.ByteTransform, error)
	// Secret tells that a passphrase or an identity was given: then nothing is
	// read that is not encrypted, for who gives one relies on it.
	Secret bool
	// Signers are whose snapshots are read: if there are any, a snapshot that none
	// of them has signed is ErrUnsigned.
	Signers []Signer
}

// Repository reads what is stored, and removes what Forget and Prune are asked to.
// What takes long takes a lock, see docs/repository.md. It is safe for concurrent use.
type Repository struct {
	storage stage.Storage
	chain   Chain
	root    root
	kids    []string
	sealed  bool // no key may be read that is not encrypted

	mu     sync.Mutex
	opened map[string]*reading
}

// reading is an epoch that was opened, or why it could not be.
type reading struct {
	epoch  *epoch
	err    error
	chunks *chunkReader // made by the first who needs chunks
}

// Open opens the repository in a storage, which it owns from then on, also if
// it fails. An error of class failure.Refused: there is none, or its format is
// not known, or it is not encrypted where a secret was given, or encrypted in
// parts. ErrKey: not one key can be opened with what chain was given.
func Open(ctx context.Context, s stage.Storage, chain Chain) (*Repository, error) {
	r := &Repository{storage: guard(s), chain: chain, opened: map[string]*reading{}}
	if err := r.open(ctx); err != nil {
		return nil, errors.Join(err, r.storage.Close(context.WithoutCancel(ctx)))
	}
	return r, nil
}

func (r *Repository) open(ctx context.Context) error {
	var err error
	if r.root, err = readRoot(ctx, r.storage); errors.Is(err, stage.ErrNotExist) {
		if err := absent(ctx, r.storage); !errors.Is(err, ErrNoRepository) {
			return err
		}
		return failure.New(failure.Refused, "%w: check the path, and that its disk is mounted", ErrNoRepository)
	}
	if err != nil {
		return err
	}
	if r.kids, err = listKeys(ctx, r.storage); err != nil {
		return err
	}
	if err := r.checkSecrecy(ctx); err != nil {
		return err
	}
	var failed error
	for _, kid := range r.kids {
		if _, err := r.epoch(ctx, kid); err == nil {
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

// checkSecrecy looks at all keys before any is used: anybody who can write to
// the storage can add one.
func (r *Repository) checkSecrecy(ctx context.Context) error {
	keys := map[string]keyFile{}
	for _, kid := range r.kids {
		k, err := readKey(ctx, r.storage, r.root, kid)
		if _, lost := asDamage(err); lost {
			continue // nothing is read under it
		}
		if err != nil {
			return err
		}
		keys[kid] = k
	}
	sealed, err := secrecy(keys)
	if err != nil {
		return err
	}
	r.sealed = sealed || r.chain.Secret
	if r.sealed && !sealed && len(keys) > 0 {
		return errClear
	}
	return nil
}

// Close closes the storage.
func (r *Repository) Close(ctx context.Context) error { return r.storage.Close(ctx) }

// epoch opens a key, once.
func (r *Repository) epoch(ctx context.Context, kid string) (*epoch, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rd := r.readingLocked(ctx, kid)
	return rd.epoch, rd.err
}

func (r *Repository) readingLocked(ctx context.Context, kid string) *reading {
	rd, ok := r.opened[kid]
	if !ok {
		rd = &reading{}
		rd.epoch, rd.err = r.openKey(ctx, kid)
		if ctx.Err() == nil { // an interruption says nothing about the key
			r.opened[kid] = rd
		}
	}
	return rd
}

func (r *Repository) openKey(ctx context.Context, kid string) (*epoch, error) {
	k, err := readKey(ctx, r.storage, r.root, kid)
	if err != nil {
		return nil, err
	}
	if r.sealed && !k.encrypted() { // it was added since
		return nil, failure.New(failure.Refused, "%s%s: %w", keysDir, kid, errClear)
	}
	chain, err := r.makeChain(ctx, kid, k)
	if err != nil {
		return nil, err
	}
	return openEpoch(ctx, r.storage, r.root, kid, k, chain)
}

// makeChain makes the transforms of a key, with what the repository was given.
func (r *Repository) makeChain(ctx context.Context, kid string, k keyFile) ([]stage.ByteTransform, error) {
	chain := make([]stage.ByteTransform, len(k.Transforms))
	for i, t := range k.Transforms {
		var err error
		if chain[i], err = r.chain.Transform(ctx, t.Name); err != nil {
			return nil, fmt.Errorf("%s%s was made with transform %s: %w", keysDir, kid, t.Name, err)
		}
	}
	return chain, nil
}

// chunks returns the reader of an epoch's chunks; the first call reads the index.
func (r *Repository) chunks(ctx context.Context, kid string) (*chunkReader, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rd := r.readingLocked(ctx, kid)
	if rd.err != nil || rd.chunks != nil {
		return rd.chunks, rd.err
	}
	x, err := loadIndex(ctx, r.storage, rd.epoch, true)
	if err != nil {
		return nil, err
	}
	rd.chunks = newChunkReader(r.storage, rd.epoch, x)
	return rd.chunks, nil
}
