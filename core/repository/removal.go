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
	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/lock"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// Removal is the record of snapshots that were removed intentionally. It is the content of
// an object removals/KID/NAME, which is stored before the snapshots are deleted. It lets
// Verify distinguish a removal from a loss.
type Removal struct {
	Format    int       `json:"format"`
	Name      string    `json:"name"`
	Time      time.Time `json:"time"`
	Host      string    `json:"host"`
	Version   string    `json:"version"` // of the vault that removed the snapshots
	Reason    string    `json:"reason"`  // the policy, or that IDs were given
	Snapshots []Removed `json:"snapshots"`

	kid    string
	signer *manifest.Signer
}

// Removed describes a removed snapshot. Previous and After still reference the snapshots
// before it, so their loss is detected even after the removal.
type Removed struct {
	ID       string    `json:"id"`
	Previous string    `json:"previous,omitempty"`
	After    string    `json:"after,omitempty"`
	Start    time.Time `json:"start,omitzero"`
	Pipeline string    `json:"pipeline,omitempty"`
	Site     string    `json:"site,omitempty"`
	Signer   string    `json:"signer,omitempty"`
}

func removalName(kid, name string) string { return object.RemovalsDir + kid + "/" + name }

// putRemoval stores a record, signed if there is a key, and reads it back.
func putRemoval(ctx context.Context, s stage.Storage, e *keyring.Generation, reason string, removed []Removed, key manifest.SigningKey) (*Removal, error) {
	name, err := object.RandomName()
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	r := &Removal{Format: object.Format, Name: name, Time: time.Now().UTC().Truncate(time.Second), Host: host, Version: manifest.Version(), Reason: reason, Snapshots: removed, kid: e.KID}
	plain, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding the removal: %w", err)
	}
	blob := e.BlobName("removal", name)
	if plain, err = key.Sign(plain, blob); err != nil {
		return nil, err
	}
	sealed, err := e.SealObject(ctx, plain, blob)
	if err != nil {
		return nil, fmt.Errorf("sealing the record of the removal: %w", err)
	}
	if err := s.Put(ctx, removalName(e.KID, name), sealed); err != nil {
		return nil, fmt.Errorf("storing the record of the removal: %w", err)
	}
	back, err := e.GetObject(ctx, s, removalName(e.KID, name), blob)
	if err == nil && !bytes.Equal(back, plain) {
		err = &object.Damage{Object: removalName(e.KID, name), Err: fmt.Errorf("%w: it differs from what was stored", stage.ErrCorrupt)}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the record of the removal back: %w", err)
	}
	return r, nil
}

// getRemoval reads a record. If there are signers and none of them has signed it, the
// error wraps ErrUnsigned.
func getRemoval(ctx context.Context, s stage.Storage, e *keyring.Generation, name string, signers []manifest.Signer) (*Removal, error) {
	objectName, blob := removalName(e.KID, name), e.BlobName("removal", name)
	content, err := e.GetObject(ctx, s, objectName, blob)
	if err != nil {
		return nil, err
	}
	record, by, err := manifest.Unsign(content, blob, signers)
	if err != nil {
		return nil, object.Damaged(objectName, "", err)
	}
	r := &Removal{kid: e.KID, signer: by}
	if err := json.Unmarshal(record, r); err != nil {
		return nil, &object.Damage{Object: objectName, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, err)}
	}
	if r.Format != object.Format {
		return nil, fmt.Errorf("%s: unsupported record format %d (this vault supports %d); use a newer vault", objectName, r.Format, object.Format)
	}
	if r.Name != name {
		return nil, &object.Damage{Object: objectName, Err: fmt.Errorf("%w: the record is that of %q", stage.ErrCorrupt, r.Name)}
	}
	return r, nil
}

// Removals returns the records of removals, oldest first. Records that can't be read are
// reported in a joined error, together with the readable ones: *object.Damage,
// manifest.ErrUnsigned or stage.ErrKey.
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

// badRemoval is an unusable record.
type badRemoval struct {
	kid, objectName string
	err             error
}

func (r *Repository) removals(ctx context.Context) (list []*Removal, bad []badRemoval, err error) {
	names, err := object.ListNames(ctx, r.storage, object.RemovalsDir)
	if err != nil {
		return nil, nil, fmt.Errorf("listing removals: %w", err)
	}
	for _, full := range names {
		kid, name := path.Split(full)
		kid = strings.TrimSuffix(kid, "/")
		if !object.IsName(kid) || !object.IsName(name) {
			bad = append(bad, badRemoval{"", object.RemovalsDir + full, &object.Damage{Object: object.RemovalsDir + full, Err: object.ErrStray}})
			continue
		}
		record, err := r.removal(ctx, kid, name)
		if err != nil {
			_, lost := object.AsDamage(err)
			if !lost && !errors.Is(err, manifest.ErrUnsigned) && !errors.Is(err, stage.ErrKey) {
				return nil, nil, err
			}
			bad = append(bad, badRemoval{kid, object.RemovalsDir + full, err})
			continue
		}
		list = append(list, record)
	}
	slices.SortStableFunc(list, func(a, b *Removal) int { return a.Time.Compare(b.Time) })
	return list, bad, nil
}

func (r *Repository) removal(ctx context.Context, kid, name string) (*Removal, error) {
	e, err := r.generation(ctx, kid)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", removalName(kid, name), err)
	}
	return getRemoval(ctx, r.storage, e, name, r.chain.Signers)
}

// removeSnapshots records a removal, then deletes the manifests. It may be repeated after
// any error: a manifest that was not deleted is still a snapshot.
func (r *Repository) removeSnapshots(ctx context.Context, l *lock.Lock, reason string, list []*manifest.Snapshot, key manifest.SigningKey) ([]*Removal, error) {
	byKey := map[string][]Removed{}
	var kids []string
	for _, s := range list {
		if byKey[s.KID] == nil {
			kids = append(kids, s.KID)
		}
		byKey[s.KID] = append(byKey[s.KID], removedOf(s))
	}
	var records []*Removal
	for _, kid := range kids {
		e, err := r.generation(ctx, kid)
		if err != nil {
			return records, err
		}
		if err := l.Held(ctx); err != nil {
			return records, err
		}
		record, err := putRemoval(ctx, r.storage, e, reason, byKey[kid], key)
		if err != nil {
			return records, err
		}
		records = append(records, record)
		for _, s := range byKey[kid] {
			if err := r.storage.Delete(ctx, object.SnapshotName(kid, s.ID)); err != nil {
				return records, failure.Wrap(failure.Of(err), fmt.Errorf("removing snapshot %s (not removed; run the same command again to continue): %w", s.ID, err))
			}
		}
	}
	return records, nil
}

func removedOf(s *manifest.Snapshot) Removed {
	r := Removed{ID: s.ID, Previous: s.Previous, After: s.After, Start: s.Start, Pipeline: s.Pipeline, Site: Site(s).ID}
	if by, ok := s.Signer(); ok {
		r.Signer = by.String()
	}
	return r
}
