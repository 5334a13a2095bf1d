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
	"github.com/lmsvault/vault/core/stage"
)

// target is what a sink found in its storage.
type target struct {
	root  root // zero if there is no repository yet
	kids  []string
	epoch *epoch // to write under; nil if a new one must be made
	notes []stage.Note
}

// find looks at the storage and opens the key to write under. It changes nothing.
func (s *Sink) find(ctx context.Context) (*target, error) {
	t := &target{}
	var err error
	t.root, err = readRoot(ctx, s.storage)
	if errors.Is(err, stage.ErrNotExist) {
		t.root = root{}
		if err := absent(ctx, s.storage); !s.create || !errors.Is(err, ErrNoRepository) {
			return nil, err
		}
		t.notes = append(t.notes, stage.Note{Path: rootName, Text: "there was no repository here, and a new one is made (create: true); if one was expected, check that its disk is mounted"})
		t.noteRecipients(s.transforms)
		return t, nil
	}
	if err != nil {
		return nil, failure.Wrap(failure.Refused, err)
	}
	if t.kids, err = listKeys(ctx, s.storage); err != nil {
		return nil, err
	}
	if old := s.target; old != nil && old.root.hash == t.root.hash && slices.Equal(old.kids, t.kids) {
		return old, nil // a passphrase is worth opening once
	}
	if err := t.openKey(ctx, s.storage, s.transforms); err != nil {
		return nil, failure.Wrap(failure.Refused, err)
	}
	t.noteRecipients(s.transforms)
	return t, nil
}

// openKey opens the newest key that these transforms made and seal under. Where
// there is none a new one must be made, and a note says why; but where somebody
// seems to have mistyped a passphrase the error is of stage.ErrKey.
func (t *target) openKey(ctx context.Context, s stage.Storage, transforms []Transform) error {
	keys := map[string]keyFile{}
	var unreadable *Damage
	for _, kid := range t.kids {
		k, err := readKey(ctx, s, t.root, kid)
		if d, lost := asDamage(err); lost && d.Object != rootName {
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
		return fmt.Errorf("no key of the repository can be read: %w", unreadable) // it can't be told whether it is encrypted
	}
	kids := slices.SortedFunc(maps.Keys(keys), func(a, b string) int { return keys[b].Created.Compare(keys[a].Created) })
	if err := sameSecrecy(keys, transforms); err != nil {
		return err
	}
	if !canOpen(transforms) {
		return nil
	}
	var wrong, other error // the first of a kind, which is the newest key's
	fits := false
	for _, kid := range kids {
		e, err := tryKey(ctx, s, t.root, kid, keys[kid], transforms)
		switch {
		case err == nil:
			t.epoch = e
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
		t.notes = append(t.notes, stage.Note{Path: rootName,
			Text: fmt.Sprintf("everything is stored again under a new key: %v; who can read what is stored already still can", other)})
	}
	return nil
}

var errTransforms = errors.New("it was made with other transforms")

// tryKey opens a key to write under it, errTransforms if it opens but was made
// with other transforms.
func tryKey(ctx context.Context, s stage.Storage, r root, kid string, k keyFile, transforms []Transform) (*epoch, error) {
	var names []string
	var chain []stage.ByteTransform
	for _, t := range transforms {
		names, chain = append(names, t.Name), append(chain, t.Bytes)
	}
	if slices.Equal(k.names(), names) {
		return openEpoch(ctx, s, r, kid, k, chain)
	}
	var keyed []stage.Keyed
	for _, t := range k.Transforms {
		if i := slices.Index(names, t.Name); i >= 0 && t.Keyed {
			if own, ok := chain[i].(stage.Keyed); ok {
				keyed = append(keyed, own)
			}
		}
	}
	if n := len(keyed); n > 0 && n == k.keyed() {
		if err := opensKey(ctx, s, kid, keyed); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s%s: %w: %q, now %q", keysDir, kid, errTransforms, k.names(), names)
}

// canOpen tells whether the keyed among the transforms were given what opens their keys.
func canOpen(transforms []Transform) bool {
	return !slices.ContainsFunc(transforms, func(t Transform) bool {
		keyed, ok := t.Bytes.(stage.Keyed)
		return ok && !keyed.CanOpen()
	})
}

func (t *target) noteRecipients(transforms []Transform) {
	if !canOpen(transforms) {
		t.notes = append(t.notes, stage.Note{Path: rootName,
			Text: "with recipients alone it can't be told what is stored already: everything is stored again, and nothing is compared with the previous snapshot; a passphrase, or the identity beside the recipients, changes that"})
	}
}

// create makes the repository and the key, as far as they are not there.
func (t *target) create(ctx context.Context, s stage.Storage, transforms []Transform, now time.Time) (*epoch, error) {
	if t.epoch != nil {
		return t.epoch, nil
	}
	if t.root.ID == "" {
		if err := t.createRoot(ctx, s, now); err != nil {
			return nil, err
		}
	}
	e, headers, raw, err := createEpoch(ctx, t.root, now, transforms)
	if err != nil {
		return nil, err
	}
	if len(headers) > 0 { // first: a key that nothing opens would pass for damage
		id, err := newAccessID()
		if err != nil {
			return nil, err
		}
		name, raw, err := encodeAccess(e.kid, id, headers, now)
		if err != nil {
			return nil, err
		}
		if err := s.Put(ctx, name, raw); err != nil {
			return nil, fmt.Errorf("storing the access to the key: %w", err)
		}
	}
	if err := s.Put(ctx, keysDir+e.kid, raw); err != nil {
		return nil, fmt.Errorf("storing the key: %w", err)
	}
	t.epoch = e
	return e, nil
}

func (t *target) createRoot(ctx context.Context, s stage.Storage, now time.Time) error {
	r, raw, err := newRoot(now)
	if err != nil {
		return err
	}
	if err := s.Put(ctx, rootName, raw); err != nil {
		return fmt.Errorf("making the repository: %w", err)
	}
	t.root = r
	return nil
}
