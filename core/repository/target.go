package repository

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// target describes the repository that a sink writes to.
type target struct {
	root       object.Root // zero if there is no repository yet
	kids       []string
	generation *keyring.Generation // to write under; nil if it must be created
	notes      []stage.Note
}

// find reads the root and the keys, and opens the key to write under. It changes nothing.
func (s *Sink) find(ctx context.Context) (*target, error) {
	t := &target{}
	var err error
	t.root, err = object.ReadRoot(ctx, s.storage)
	if errors.Is(err, stage.ErrNotExist) {
		t.root = object.Root{}
		if err := absent(ctx, s.storage); !s.create || !errors.Is(err, ErrNoRepository) {
			return nil, err
		}
		t.notes = append(t.notes, stage.Note{Path: object.RootName, Text: "there was no repository here, and a new one is made (create: true); if one was expected, check that its disk is mounted"})
		t.noteRecipients(s.transforms)
		return t, nil
	}
	if err != nil {
		return nil, failure.Wrap(failure.Refused, err)
	}
	if t.kids, err = keyring.ListKeys(ctx, s.storage); err != nil {
		return nil, err
	}
	if old := s.target; old != nil && old.root.Hash == t.root.Hash && slices.Equal(old.kids, t.kids) {
		return old, nil // deriving a key from a passphrase is slow
	}
	if err := t.openKey(ctx, s.storage, s.transforms); err != nil {
		return nil, failure.Wrap(failure.Refused, err)
	}
	t.noteRecipients(s.transforms)
	return t, nil
}

// openKey opens the newest key that was created with these transforms. If there is none,
// it leaves generation nil and adds a note that says why a new key is needed. If the
// passphrase seems to be mistyped, the error wraps stage.ErrKey.
func (t *target) openKey(ctx context.Context, s stage.Storage, transforms []keyring.Transform) error {
	keys := map[string]keyring.KeyFile{}
	var unreadable *object.Damage
	for _, kid := range t.kids {
		k, err := keyring.ReadKey(ctx, s, t.root, kid)
		if d, lost := object.AsDamage(err); lost && d.Object != object.RootName {
			t.notes = append(t.notes, stage.Note{Path: d.Object, Text: fmt.Sprintf("this key is damaged, and so are all snapshots under it (put a copy back, or look with vault verify): %v", d.Err)})
			unreadable = d
			continue
		}
		if err != nil {
			return err
		}
		keys[kid] = k
	}
	if len(keys) == 0 && unreadable != nil {
		return fmt.Errorf("no key of the repository can be read: %w", unreadable) // it is unknown whether the repository is encrypted
	}
	kids := slices.SortedFunc(maps.Keys(keys), func(a, b string) int { return keys[b].Created.Compare(keys[a].Created) })
	if err := keyring.SameSecrecy(keys, transforms); err != nil {
		return err
	}
	if !canOpen(transforms) {
		return nil
	}
	var wrong, other error // the first error of each kind, which is that of the newest key
	fits := false
	for _, kid := range kids {
		e, err := tryKey(ctx, s, t.root, kid, keys[kid], transforms)
		switch {
		case err == nil:
			t.generation = e
			return nil
		case errors.Is(err, errTransforms):
			fits = true
			other = cmp.Or(other, err)
		case errors.Is(err, stage.ErrOtherKey):
			other = cmp.Or(other, err)
		case errors.Is(err, stage.ErrKey):
			wrong = cmp.Or(wrong, err)
		default:
			return err
		}
	}
	if wrong != nil && !fits {
		return wrong
	}
	if other != nil {
		t.notes = append(t.notes, stage.Note{Path: object.RootName,
			Text: fmt.Sprintf("everything is stored again under a new key: %v; who can read what is stored already still can", other)})
	}
	return nil
}

var errTransforms = errors.New("it was made with other transforms")

// tryKey opens a key for writing. The error wraps errTransforms if the key can be opened
// but was created with other transforms.
func tryKey(ctx context.Context, s stage.Storage, r object.Root, kid string, k keyring.KeyFile, transforms []keyring.Transform) (*keyring.Generation, error) {
	var names []string
	var chain []stage.ByteTransform
	for _, t := range transforms {
		names, chain = append(names, t.Name), append(chain, t.Bytes)
	}
	if slices.Equal(k.Names(), names) {
		return keyring.OpenGeneration(ctx, s, r, kid, k, chain)
	}
	var keyed []stage.Keyed
	for _, t := range k.Transforms {
		if i := slices.Index(names, t.Name); i >= 0 && t.Keyed {
			if own, ok := chain[i].(stage.Keyed); ok {
				keyed = append(keyed, own)
			}
		}
	}
	if n := len(keyed); n > 0 && n == k.Keyed() {
		if err := keyring.OpensKey(ctx, s, kid, keyed); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s%s: %w: %q, now %q", object.KeysDir, kid, errTransforms, k.Names(), names)
}

// canOpen reports whether all keyed transforms have a passphrase or an identity to open
// keys with.
func canOpen(transforms []keyring.Transform) bool {
	return !slices.ContainsFunc(transforms, func(t keyring.Transform) bool {
		keyed, ok := t.Bytes.(stage.Keyed)
		return ok && !keyed.CanOpen()
	})
}

func (t *target) noteRecipients(transforms []keyring.Transform) {
	if !canOpen(transforms) {
		t.notes = append(t.notes, stage.Note{Path: object.RootName,
			Text: "with recipients alone it can't be told what is stored already: everything is stored again, and nothing is compared with the previous snapshot; a passphrase, or the identity beside the recipients, changes that"})
	}
}

// create creates the repository and the key unless they exist.
func (t *target) create(ctx context.Context, s stage.Storage, transforms []keyring.Transform, now time.Time) (*keyring.Generation, error) {
	if t.generation != nil {
		return t.generation, nil
	}
	if t.root.ID == "" {
		if err := t.createRoot(ctx, s, now); err != nil {
			return nil, err
		}
	}
	e, headers, raw, err := keyring.CreateGeneration(ctx, t.root, now, transforms)
	if err != nil {
		return nil, err
	}
	if len(headers) > 0 { // stored before the key: a key without an access would look damaged
		id, err := keyring.NewAccessID()
		if err != nil {
			return nil, err
		}
		name, raw, err := keyring.EncodeAccess(e.KID, id, headers, now)
		if err != nil {
			return nil, err
		}
		if err := s.Put(ctx, name, raw); err != nil {
			return nil, fmt.Errorf("storing the access to the key: %w", err)
		}
	}
	if err := s.Put(ctx, object.KeysDir+e.KID, raw); err != nil {
		return nil, fmt.Errorf("storing the key: %w", err)
	}
	t.generation = e
	return e, nil
}

func (t *target) createRoot(ctx context.Context, s stage.Storage, now time.Time) error {
	r, raw, err := object.NewRoot(now)
	if err != nil {
		return err
	}
	if err := s.Put(ctx, object.RootName, raw); err != nil {
		return fmt.Errorf("making the repository: %w", err)
	}
	t.root = r
	return nil
}
