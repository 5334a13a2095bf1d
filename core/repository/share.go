package repository

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/lock"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// Shared is the result of AddAccess or RemoveAccess.
type Shared struct {
	ID    string       `json:"id,omitempty"` // of the added access
	Keys  []string     `json:"keys"`         // that were changed
	Notes []stage.Note `json:"notes,omitempty"`
}

// AddAccess adds an access to every key that the repository's passphrase or identity
// opens. with returns the named transform, configured for the new readers. AddAccess stores
// one object for each key and no chunks. Keys that can't be opened are reported as notes.
// The error is of class failure.Refused if the repository is locked or not encrypted, or
// if the readers have access already. The call may be repeated after any error.
func (r *Repository) AddAccess(ctx context.Context, with func(ctx context.Context, name string) (stage.ByteTransform, error)) (s *Shared, err error) {
	l, err := lock.Acquire(ctx, r.storage, lock.LockWrite, "", lock.Refresh)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Release(ctx)) }()
	s = &Shared{}
	if s.ID, err = keyring.NewAccessID(); err != nil {
		return nil, err
	}
	var there error
	for _, kid := range r.kids {
		e, err := r.generation(ctx, kid)
		if _, lost := object.AsDamage(err); lost || errors.Is(err, stage.ErrKey) {
			s.Notes = append(s.Notes, stage.Note{Path: object.KeysDir + kid, Text: fmt.Sprintf("access not added, because this key can't be opened: %v", err)})
			continue
		}
		if err != nil {
			return nil, err
		}
		if !e.Key.Encrypted() {
			continue
		}
		name, raw, err := r.share(ctx, e, s.ID, with)
		if errors.Is(err, stage.ErrExist) {
			there = err
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := l.Held(ctx); err != nil {
			return nil, err
		}
		if err := r.storage.Put(ctx, name, raw); err != nil {
			return nil, fmt.Errorf("storing %s: %w", name, err)
		}
		back, err := r.storage.Get(ctx, nil, name, 0, -1)
		if err == nil && !slices.Equal(back, raw) {
			err = fmt.Errorf("%w: it differs from what was stored", stage.ErrCorrupt)
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s back: %w", name, err)
		}
		s.Keys = append(s.Keys, kid)
	}
	switch {
	case len(s.Keys) > 0:
		return s, nil
	case there != nil:
		return nil, failure.Wrap(failure.Refused, there)
	}
	return nil, errClearKeys
}

// share creates another access to an opened key.
func (r *Repository) share(ctx context.Context, e *keyring.Generation, id string, with func(context.Context, string) (stage.ByteTransform, error)) (name string, raw []byte, err error) {
	all, _, err := keyring.ReadAccesses(ctx, r.storage, e.KID)
	if err != nil {
		return "", nil, err
	}
	var headers [][]byte
	for i, t := range e.Key.Transforms {
		if !t.Keyed {
			continue
		}
		sharer, ok := e.Chain[i].(stage.Sharer)
		if !ok {
			return "", nil, failure.New(failure.Refused, "transform %s does not support additional accesses; cannot add one to %s%s", t.Name, object.KeysDir, e.KID)
		}
		other, err := with(ctx, t.Name)
		if err != nil {
			return "", nil, err
		}
		n := len(headers)
		var known [][]byte
		for _, a := range all {
			if n < len(a.Headers) {
				known = append(known, a.Headers[n])
			}
		}
		header, err := sharer.Share(ctx, other, known)
		if err != nil {
			return "", nil, fmt.Errorf("%s%s: %w", object.KeysDir, e.KID, err)
		}
		headers = append(headers, header)
	}
	return keyring.EncodeAccess(e.KID, id, headers, time.Now())
}

// RemoveAccess removes accesses, given by their IDs or unique prefixes of them, from all
// keys. The repository's passphrase or identity must open each of these keys by an access
// that remains, so the last usable access is never removed. The error is of class
// failure.Refused if the repository is locked, no other access opens a key, or the storage
// does not delete. The call may be repeated after any error while the ID exists.
func (r *Repository) RemoveAccess(ctx context.Context, ids []string) (s *Shared, err error) {
	l, err := lock.Acquire(ctx, r.storage, lock.LockWrite, "", lock.Refresh)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Release(ctx)) }()
	remove, gone, err := r.named(ctx, ids)
	if err != nil {
		return nil, err
	}
	s = &Shared{}
	var objects []string
	for _, kid := range r.kids {
		if len(remove[kid]) == 0 {
			continue
		}
		if err := r.opensWithout(ctx, kid, gone); err != nil {
			return nil, err
		}
		s.Keys = append(s.Keys, kid)
		objects = append(objects, remove[kid]...)
	}
	for _, name := range objects {
		if err := l.Held(ctx); err != nil {
			return nil, err
		}
		if err := r.storage.Delete(ctx, name); err != nil {
			return nil, failure.Wrap(failure.Refused, fmt.Errorf("%s can't be deleted (append-only?), and still opens the key: %w", name, err))
		}
		if _, err := r.storage.Stat(ctx, name); !errors.Is(err, stage.ErrNotExist) {
			return nil, errors.Join(fmt.Errorf("%s still exists after it was deleted; it still opens the key", name), err)
		}
	}
	return s, nil
}

// RenewKey creates a new key for the readers of the transforms. Later backups with these
// transforms use it and store everything again. Existing snapshots remain under their
// keys. RenewKey closes the storage.
func RenewKey(ctx context.Context, below stage.Storage, transforms []keyring.Transform) (err error) {
	s := NewSink(below, SinkConfig{Transforms: transforms})
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	if !slices.ContainsFunc(transforms, func(t keyring.Transform) bool { _, keyed := t.Bytes.(stage.Keyed); return keyed }) {
		return errClearKeys
	}
	if !canOpen(transforms) {
		return failure.New(failure.Refused, "a pipeline with only recipients creates a new key in every backup; there is no key to renew")
	}
	if s.target, err = s.find(ctx); err != nil {
		return err
	}
	if s.lock, err = lock.Acquire(ctx, s.storage, lock.LockWrite, "", lock.Refresh); err != nil {
		return err
	}
	if s.target, err = s.find(ctx); err != nil {
		return err
	}
	now := time.Now()
	if old := s.target.generation; old != nil && !now.After(old.Key.Created) {
		now = old.Key.Created.Add(time.Second) // the newest key is used, whatever the clock says
	}
	s.target.generation = nil
	_, err = s.target.create(ctx, s.storage, transforms, now)
	return err
}

// named returns the access objects for each key, and the full IDs of the accesses.
func (r *Repository) named(ctx context.Context, ids []string) (objects map[string][]string, whole []string, err error) {
	type found struct{ id, kid, name string }
	var all []found
	for _, kid := range r.kids {
		list, _, err := keyring.ReadAccesses(ctx, r.storage, kid)
		if err != nil {
			return nil, nil, err
		}
		for _, a := range list {
			all = append(all, found{a.ID, kid, keyring.AccessName(kid, a.Name)})
		}
	}
	objects = map[string][]string{}
	for _, id := range ids {
		match := ""
		for _, f := range all {
			if id == "" || !strings.HasPrefix(f.id, id) {
				continue
			}
			if match != "" && match != f.id {
				return nil, nil, failure.New(failure.Usage, "%q is ambiguous; give more digits of the ID (see vault key list)", id)
			}
			match = f.id
		}
		if match == "" {
			return nil, nil, failure.New(failure.Usage, "no access with ID %q; vault key list shows the IDs", id)
		}
		if slices.Contains(whole, match) {
			continue
		}
		whole = append(whole, match)
		for _, f := range all {
			if f.id == match {
				objects[f.kid] = append(objects[f.kid], f.name)
			}
		}
	}
	return objects, whole, nil
}

// opensWithout returns an error of class failure.Refused unless the key can be opened
// without some of its accesses.
func (r *Repository) opensWithout(ctx context.Context, kid string, gone []string) error {
	k, err := keyring.ReadKey(ctx, r.storage, r.root, kid)
	if err != nil {
		return err
	}
	chain, err := r.makeChain(ctx, kid, k)
	if err != nil {
		return err
	}
	_, err = keyring.OpenGeneration(ctx, r.storage, r.root, kid, k, chain, gone...)
	_, lost := object.AsDamage(err)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return err
	case lost || errors.Is(err, stage.ErrKey):
		return failure.New(failure.Refused, "the given passphrase or identity does not open %s%s by an access that remains: %w; give one that remains, or add one first with vault key add", object.KeysDir, kid, err)
	}
	return err
}
