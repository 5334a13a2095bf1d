package keyring

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// accessFile is the content of access/KID/NAME: one way to open a key, with a passphrase
// or for recipients. NAME is the beginning of its SHA-256 in hex. A key is created with
// one access; others can be added and removed without storing chunks again.
type accessFile struct {
	Format  int       `json:"format"`
	Key     string    `json:"key"` // KID
	ID      string    `json:"id"`  // shared by accesses that were added to several keys at once
	Created time.Time `json:"created"`
	Host    string    `json:"host"`
	Headers [][]byte  `json:"headers"` // one for each keyed transform, in order
}

// Access is an access read from the storage.
type Access struct {
	accessFile
	Name string
}

// AccessName returns the name of an access object.
func AccessName(kid, name string) string { return object.AccessDir + kid + "/" + name }

// accessDigits is the length of an accessFile's ID.
const accessDigits = 8

// NewAccessID returns a random ID for accesses that are added together.
func NewAccessID() (string, error) {
	id, err := object.RandomName()
	if err != nil {
		return "", err
	}
	return id[:accessDigits], nil
}

// EncodeAccess returns the name and content of an access object. It stores nothing.
func EncodeAccess(kid, id string, headers [][]byte, now time.Time) (name string, raw []byte, err error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	raw, err = json.Marshal(accessFile{Format: object.Format, Key: kid, ID: id, Created: now.UTC(), Host: host, Headers: headers})
	if err != nil {
		return "", nil, fmt.Errorf("encoding the access to a key: %w", err)
	}
	return AccessName(kid, object.HashOf(raw)[:kidDigits]), raw, nil
}

// parseAccess decodes the access object called name.
func parseAccess(kid, name string, raw []byte) (a Access, err error) {
	objectName := AccessName(kid, name)
	if object.HashOf(raw)[:kidDigits] != name {
		return a, &object.Damage{Object: objectName, Err: fmt.Errorf("%w: the content does not match the name", stage.ErrCorrupt)}
	}
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(raw, &version); err != nil {
		return a, &object.Damage{Object: objectName, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, err)}
	}
	if version.Format != object.Format {
		return a, fmt.Errorf("%s: unsupported format %d (this vault supports %d)", objectName, version.Format, object.Format)
	}
	if err := object.StrictJSON(raw, &a.accessFile); err != nil {
		return a, &object.Damage{Object: objectName, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, err)}
	}
	if a.Key != kid {
		return a, &object.Damage{Object: objectName, Err: fmt.Errorf("%w: the access is for key %q", stage.ErrCorrupt, a.Key)}
	}
	a.Name = name
	return a, nil
}

// ReadAccesses returns the accesses to a key, oldest first. bad holds an error for each
// unusable access: a *object.Damage, or an unsupported format.
func ReadAccesses(ctx context.Context, s stage.Storage, kid string) (list []Access, bad []error, err error) {
	names, err := object.ListNames(ctx, s, object.AccessDir+kid+"/")
	if err != nil {
		return nil, nil, fmt.Errorf("listing the accesses to a key: %w", err)
	}
	for _, name := range names {
		if !object.IsName(name) {
			bad = append(bad, &object.Damage{Object: object.AccessDir + kid + "/" + name, Err: object.ErrStray})
			continue
		}
		raw, err := s.Get(ctx, nil, AccessName(kid, name), 0, -1)
		if errors.Is(err, stage.ErrNotExist) {
			continue // removed after it was listed
		}
		if err != nil && !errors.Is(err, stage.ErrCorrupt) {
			return nil, nil, fmt.Errorf("reading %s: %w", AccessName(kid, name), err)
		}
		if err != nil {
			bad = append(bad, object.Damaged(AccessName(kid, name), "", err))
			continue
		}
		a, err := parseAccess(kid, name, raw)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		list = append(list, a)
	}
	slices.SortStableFunc(list, func(a, b Access) int { return a.Created.Compare(b.Created) })
	return list, bad, nil
}

// openAccess opens the keyed transforms of a chain with one access.
func openAccess(ctx context.Context, a *Access, keyed []stage.Keyed) error {
	if len(a.Headers) != len(keyed) {
		return &object.Damage{Object: AccessName(a.Key, a.Name), Err: fmt.Errorf("%w: %d headers for %d transforms", stage.ErrCorrupt, len(a.Headers), len(keyed))}
	}
	for i, t := range keyed {
		if err := t.Open(ctx, a.Headers[i]); err != nil {
			return err
		}
	}
	return nil
}

// OpenGeneration opens a key with the transforms of its chain. It uses the first access
// that the transforms can open and that is not in without. The error is stage.ErrKey if
// the passphrase or identity is wrong.
func OpenGeneration(ctx context.Context, s stage.Storage, r object.Root, kid string, k KeyFile, chain []stage.ByteTransform, without ...string) (*Generation, error) {
	keyed, err := keyedOf(kid, k, chain)
	if err != nil {
		return nil, err
	}
	if len(keyed) == 0 {
		return unsealGeneration(ctx, r, kid, k, chain)
	}
	list, bad, err := ReadAccesses(ctx, s, kid)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(a Access) bool { return slices.Contains(without, a.ID) })
	var e *Generation
	err = firstAccess(ctx, kid, list, bad, func(a *Access) error {
		if err := openAccess(ctx, a, keyed); err != nil {
			return err
		}
		var err error
		e, err = unsealGeneration(ctx, r, kid, k, chain)
		if _, lost := object.AsDamage(err); lost { // its author did not have the key
			return &object.Damage{Object: AccessName(kid, a.Name), Err: fmt.Errorf("%w: the access does not open the key", stage.ErrCorrupt)}
		}
		if err == nil {
			e.Access = a.ID
		}
		return err
	})
	return e, err
}

// OpensKey returns nil if keyed opens the key. keyed must be all keyed transforms of the key.
func OpensKey(ctx context.Context, s stage.Storage, kid string, keyed []stage.Keyed) error {
	list, bad, err := ReadAccesses(ctx, s, kid)
	if err != nil {
		return err
	}
	return firstAccess(ctx, kid, list, bad, func(a *Access) error { return openAccess(ctx, a, keyed) })
}

// firstAccess returns nil if open succeeds for one of the accesses, and otherwise the
// most specific error.
func firstAccess(ctx context.Context, kid string, list []Access, bad []error, open func(*Access) error) error {
	refused := refusal{}
	for i := range list {
		err := open(&list[i])
		if err == nil || ctx.Err() != nil {
			return err
		}
		refused.add(err)
	}
	for _, err := range bad {
		refused.add(err)
	}
	if refused.err == nil {
		return &object.Damage{Object: object.AccessDir + kid, Err: fmt.Errorf("%w: the key has no access", stage.ErrNotExist)}
	}
	if _, lost := object.AsDamage(refused.err); lost {
		return refused.err
	}
	return fmt.Errorf("%s%s: %w", object.KeysDir, kid, refused.err)
}

// refusal collects why no access opens a key, and keeps the most specific error.
type refusal struct {
	err  error
	rank int
}

func (r *refusal) add(err error) {
	rank := 1
	switch {
	case errors.Is(err, stage.ErrOtherReaders): // it was opened
		rank = 4
	case errors.Is(err, stage.ErrKey): // probably a mistake
		rank = 3
	case errors.Is(err, stage.ErrOtherKey):
		rank = 2
	}
	if rank > r.rank {
		r.err, r.rank = err, rank
	}
}
