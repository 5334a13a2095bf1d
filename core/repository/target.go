package repository

import (
	"context"
	"errors"
	"fmt"
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
		foreign, err := foreignObject(ctx, s.storage)
		if err != nil {
			return nil, err
		}
		if foreign != "" {
			return nil, failure.New(failure.Refused, "this is not a repository, and not empty either: there is for example %s; take an empty or a new place", foreign)
		}
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

// openKey opens the newest key that these transforms made. None of them fitting
// is an error of stage.ErrKey; where they can open no key at all, one must be made.
func (t *target) openKey(ctx context.Context, s stage.Storage, transforms []Transform) error {
	keys := map[string]keyFile{}
	for _, kid := range t.kids {
		k, err := readKey(ctx, s, t.root, kid)
		if err != nil {
			return err
		}
		keys[kid] = k
	}
	kids := slices.SortedFunc(slices.Values(t.kids), func(a, b string) int { return keys[b].Created.Compare(keys[a].Created) })
	if err := sameSecrecy(keys, transforms); err != nil {
		return err
	}
	if !canOpen(transforms) {
		return nil
	}
	names := make([]string, len(transforms))
	chain := make([]stage.ByteTransform, len(transforms))
	for i, x := range transforms {
		names[i], chain[i] = x.Name, x.Bytes
	}
	var wrong error
	fits := len(kids) == 0
	for _, kid := range kids {
		k := keys[kid]
		var err error
		if slices.Equal(k.names(), names) {
			if t.epoch, err = openEpoch(ctx, t.root, kid, k, chain); err == nil {
				return nil
			}
		} else {
			err = tryKey(ctx, kid, k, transforms)
		}
		switch {
		case err == nil:
			fits = true
		case !errors.Is(err, stage.ErrKey):
			return err
		default:
			wrong = err
		}
	}
	if !fits {
		return wrong
	}
	if len(kids) > 0 {
		t.notes = append(t.notes, stage.Note{Path: rootName,
			Text: fmt.Sprintf("the repository was written with other transforms than %q so far: everything is stored again with these", names)})
	}
	return nil
}

// tryKey tells by ErrKey whether the transforms were given the wrong passphrase or identity.
func tryKey(ctx context.Context, kid string, k keyFile, transforms []Transform) error {
	for _, t := range k.Transforms {
		i := slices.IndexFunc(transforms, func(x Transform) bool { return x.Name == t.Name })
		if i < 0 {
			continue
		}
		if keyed, ok := transforms[i].Bytes.(stage.Keyed); ok && t.Keyed {
			if err := keyed.Open(ctx, t.Header); err != nil {
				return fmt.Errorf("%s%s: %w", keysDir, kid, err)
			}
		}
	}
	return nil
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
			Text: "with recipients alone it can't be told what is stored already: everything is stored again; a passphrase, or the identity beside the recipients, changes that"})
	}
}

// create makes the repository and the key, as far as they are not there.
func (t *target) create(ctx context.Context, s stage.Storage, transforms []Transform, now time.Time) (*epoch, error) {
	if t.epoch != nil {
		return t.epoch, nil
	}
	if t.root.ID == "" {
		r, raw, err := newRoot(now)
		if err != nil {
			return nil, err
		}
		if err := s.Put(ctx, rootName, raw); err != nil {
			return nil, fmt.Errorf("making the repository: %w", err)
		}
		t.root = r
	}
	e, raw, err := createEpoch(ctx, t.root, now, transforms)
	if err != nil {
		return nil, err
	}
	if err := s.Put(ctx, keysDir+e.kid, raw); err != nil {
		return nil, fmt.Errorf("storing the key: %w", err)
	}
	t.epoch = e
	return e, nil
}
