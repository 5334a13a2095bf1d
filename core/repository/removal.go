package repository

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// Removal is the record of snapshots that were removed on purpose: the content of
// an object removals/KID/NAME, stored before they are deleted. Verify tells by it
// a removal from a loss.
type Removal struct {
	Format    int       `json:"format"`
	Name      string    `json:"name"`
	Time      time.Time `json:"time"`
	Host      string    `json:"host"`
	Version   string    `json:"version"` // of the vault that removed them
	Reason    string    `json:"reason"`  // the policy, or that an ID was given
	Snapshots []Removed `json:"snapshots"`

	kid    string
	signer *Signer
}

// Removed is what a Removal keeps of a snapshot. Previous and After keep naming
// the snapshots before it: their loss is found after it is gone.
type Removed struct {
	ID       string    `json:"id"`
	Previous string    `json:"previous,omitempty"`
	After    string    `json:"after,omitempty"`
	Start    time.Time `json:"start,omitzero"`
	Pipeline string    `json:"pipeline,omitempty"`
	Site     string    `json:"site,omitempty"`
	Signer   string    `json:"signer,omitempty"`
}

func removalName(kid, name string) string { return removalsDir + kid + "/" + name }

// putRemoval stores a record, signed where there is a key, and reads it back.
func putRemoval(ctx context.Context, s stage.Storage, e *epoch, reason string, removed []Removed, key SigningKey) (*Removal, error) {
	name, err := randomName()
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	r := &Removal{Format: Format, Name: name, Time: time.Now().UTC().Truncate(time.Second), Host: host, Version: version(), Reason: reason, Snapshots: removed, kid: e.kid}
	plain, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("describing the removal: %w", err)
	}
	blob := e.blobName("removal", name)
	if plain, err = key.sign(plain, blob); err != nil {
		return nil, err
	}
	sealed, err := e.sealObject(ctx, plain, blob)
	if err != nil {
		return nil, fmt.Errorf("sealing the record of the removal: %w", err)
	}
	if err := s.Put(ctx, removalName(e.kid, name), sealed); err != nil {
		return nil, fmt.Errorf("storing the record of the removal: %w", err)
	}
	back, err := e.getObject(ctx, s, removalName(e.kid, name), blob)
	if err == nil && !bytes.Equal(back, plain) {
		err = &Damage{Object: removalName(e.kid, name), Err: fmt.Errorf("%w: it is not what was just stored", stage.ErrCorrupt)}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the record of the removal back: %w", err)
	}
	return r, nil
}

// getRemoval reads a record; where signers are given, only what one of them has
// signed, else ErrUnsigned.
func getRemoval(ctx context.Context, s stage.Storage, e *epoch, name string, signers []Signer) (*Removal, error) {
	object, blob := removalName(e.kid, name), e.blobName("removal", name)
	content, err := e.getObject(ctx, s, object, blob)
	if err != nil {
		return nil, err
	}
	record, by, err := unsign(content, blob, signers)
	if err != nil {
		return nil, damaged(object, "", err)
	}
	r := &Removal{kid: e.kid, signer: by}
	if err := json.Unmarshal(record, r); err != nil {
		return nil, &Damage{Object: object, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, err)}
	}
	if r.Format != Format {
		return nil, fmt.Errorf("%s: the record has format %d, and this version of vault knows %d: use a newer vault", object, r.Format, Format)
	}
	if r.Name != name {
		return nil, &Damage{Object: object, Err: fmt.Errorf("%w: it says that it is %q", stage.ErrCorrupt, r.Name)}
	}
	return r, nil
}

// Removals returns the records of what was removed, the oldest first. What can't be
// read is an error beside those that can, joined: *Damage, ErrUnsigned or stage.ErrKey.
func (r *Repository) Removals(ctx context.Context) ([]*Removal, error) {
	list, bad, err := r.removals(ctx)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, b := range bad {
		errs = append(errs, b.err)
	}
	return list, errors.Join(errs...)
}

// badRemoval is a record that can't be used.
type badRemoval struct {
	kid, object string
	err         error
}

func (r *Repository) removals(ctx context.Context) (list []*Removal, bad []badRemoval, err error) {
	names, err := listNames(ctx, r.storage, removalsDir)
	if err != nil {
		return nil, nil, fmt.Errorf("listing removals: %w", err)
	}
	for _, full := range names {
		kid, name := path.Split(full)
		kid = strings.TrimSuffix(kid, "/")
		if !isName(kid) || !isName(name) {
			bad = append(bad, badRemoval{"", removalsDir + full, &Damage{Object: removalsDir + full, Err: errStray}})
			continue
		}
		record, err := r.removal(ctx, kid, name)
		if err != nil {
			_, lost := asDamage(err)
			if !lost && !errors.Is(err, ErrUnsigned) && !errors.Is(err, stage.ErrKey) {
				return nil, nil, err
			}
			bad = append(bad, badRemoval{kid, removalsDir + full, err})
			continue
		}
		list = append(list, record)
	}
	slices.SortStableFunc(list, func(a, b *Removal) int { return a.Time.Compare(b.Time) })
	return list, bad, nil
}

func (r *Repository) removal(ctx context.Context, kid, name string) (*Removal, error) {
	e, err := r.epoch(ctx, kid)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", removalName(kid, name), err)
	}
	return getRemoval(ctx, r.storage, e, name, r.chain.Signers)
}

// removeSnapshots records a removal, then deletes the manifests. It may be repeated
// after any error: what is still there is a snapshot still.
func (r *Repository) removeSnapshots(ctx context.Context, l *lock, reason string, list []*Snapshot, key SigningKey) ([]*Removal, error) {
	byKey := map[string][]Removed{}
	var kids []string
	for _, s := range list {
		if byKey[s.kid] == nil {
			kids = append(kids, s.kid)
		}
		byKey[s.kid] = append(byKey[s.kid], removedOf(s))
	}
	var records []*Removal
	for _, kid := range kids {
		e, err := r.epoch(ctx, kid)
		if err != nil {
			return records, err
		}
		if err := l.held(ctx); err != nil {
			return records, err
		}
		record, err := putRemoval(ctx, r.storage, e, reason, byKey[kid], key)
		if err != nil {
			return records, err
		}
		records = append(records, record)
		for _, s := range byKey[kid] {
			if err := r.storage.Delete(ctx, snapshotName(kid, s.ID)); err != nil {
				return records, failure.Wrap(failure.Of(err), fmt.Errorf("removing snapshot %s (it stays; run the same command again to continue): %w", s.ID, err))
			}
		}
	}
	return records, nil
}

func removedOf(s *Snapshot) Removed {
	r := Removed{ID: s.ID, Previous: s.Previous, After: s.After, Start: s.Start, Pipeline: s.Pipeline, Site: s.Site().ID}
	if by, ok := s.Signer(); ok {
		r.Signer = by.String()
	}
	return r
}
