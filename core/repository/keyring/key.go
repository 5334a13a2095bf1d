package keyring

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// KeyFile is the content of keys/KID, which describes one generation. KID is the
// beginning of its SHA-256 in hex, so a modification is detected.
type KeyFile struct {
	Format int             `json:"format"`
	Key    json.RawMessage `json:"key"`    // a keyTerms
	Secret []byte          `json:"secret"` // sealed by the transforms; the blob name contains a hash of Key

	keyTerms `json:"-"`
}

// keyTerms are the properties of a key that its secret is bound to: if the secret can
// be unsealed, they were written by the creator of the key.
type keyTerms struct {
	Repository string         `json:"repository"` // SHA-256 of repository.json, in hex
	Created    time.Time      `json:"created"`
	Transforms []keyTransform `json:"transforms"` // in the order in which they are applied
}

type keyTransform struct {
	Name  string `json:"name"`
	Keyed bool   `json:"keyed,omitempty"` // needs a header of an accessFile to open its key
}

const kidDigits = 32

// maxTransforms bounds the work that a forged key can cause.
const maxTransforms = 16

// blobName returns the blob name under which the key's secret is sealed.
func (k *KeyFile) blobName(repo string) string {
	return "vault/1/" + repo + "/secret/" + object.HashOf(k.Key)
}

// Encrypted reports whether one of the transforms is keyed.
func (k *KeyFile) Encrypted() bool {
	return slices.ContainsFunc(k.Transforms, func(t keyTransform) bool { return t.Keyed })
}

// Keyed returns the number of keyed transforms.
func (k *KeyFile) Keyed() (n int) {
	for _, t := range k.Transforms {
		if t.Keyed {
			n++
		}
	}
	return n
}

// Names returns the names of the transforms, in order.
func (k *KeyFile) Names() []string {
	names := make([]string, len(k.Transforms))
	for i, t := range k.Transforms {
		names[i] = t.Name
	}
	return names
}

// Transform is a byte transform with its name in the pipeline.
type Transform struct {
	Name  string
	Bytes stage.ByteTransform
}

// CreateGeneration creates a new key. It returns the generation, the headers that open it,
// and the content of its object. It stores nothing.
func CreateGeneration(ctx context.Context, r object.Root, now time.Time, transforms []Transform) (e *Generation, headers [][]byte, raw []byte, err error) {
	k := KeyFile{Format: object.Format, keyTerms: keyTerms{Repository: r.Hash, Created: now.UTC(), Transforms: []keyTransform{}}}
	var chain []stage.ByteTransform
	for _, t := range transforms {
		kt := keyTransform{Name: t.Name}
		if keyed, ok := t.Bytes.(stage.Keyed); ok {
			header, err := keyed.Create(ctx)
			if err != nil {
				return nil, nil, nil, fmt.Errorf("creating a key for transform %s: %w", t.Name, err)
			}
			kt.Keyed = true
			headers = append(headers, header)
		}
		k.Transforms = append(k.Transforms, kt)
		chain = append(chain, t.Bytes)
	}
	if k.Key, err = json.Marshal(k.keyTerms); err != nil {
		return nil, nil, nil, fmt.Errorf("encoding the key: %w", err)
	}
	secret, err := newSecret()
	if err != nil {
		return nil, nil, nil, err
	}
	sealer, err := newGeneration(r.ID, "", k, chain, secret)
	if err != nil {
		return nil, nil, nil, err
	}
	if k.Secret, err = sealer.Seal(ctx, nil, secret, k.blobName(r.ID)); err != nil {
		return nil, nil, nil, fmt.Errorf("sealing the key: %w", err)
	}
	if raw, err = json.Marshal(&k); err != nil {
		return nil, nil, nil, fmt.Errorf("encoding the key: %w", err)
	}
	e, err = newGeneration(r.ID, object.HashOf(raw)[:kidDigits], k, chain, secret)
	return e, headers, raw, err
}

// ReadKey reads and checks a key file. It does not open the key.
func ReadKey(ctx context.Context, s stage.Storage, r object.Root, kid string) (KeyFile, error) {
	name := object.KeysDir + kid
	raw, err := s.Get(ctx, nil, name, 0, -1)
	if err != nil {
		return KeyFile{}, object.Damaged(name, "", err)
	}
	if object.HashOf(raw)[:kidDigits] != kid {
		return KeyFile{}, &object.Damage{Object: name, Err: fmt.Errorf("%w: the content does not match the name", stage.ErrCorrupt)}
	}
	k, err := parseKey(raw)
	if err != nil {
		return KeyFile{}, object.Damaged(name, "", err)
	}
	if k.Repository != r.Hash {
		return KeyFile{}, &object.Damage{Object: object.RootName, Err: fmt.Errorf("%w: it does not belong to %s", stage.ErrCorrupt, name)}
	}
	return k, nil
}

func parseKey(raw []byte) (k KeyFile, err error) {
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(raw, &version); err != nil {
		return k, fmt.Errorf("%w: %w", stage.ErrCorrupt, err)
	}
	if version.Format != object.Format {
		return k, fmt.Errorf("unsupported key format %d (this vault supports %d)", version.Format, object.Format)
	}
	if err := object.StrictJSON(raw, &k); err != nil {
		return k, fmt.Errorf("%w: %w", stage.ErrCorrupt, err)
	}
	if err := object.StrictJSON(k.Key, &k.keyTerms); err != nil {
		return k, fmt.Errorf("%w: %w", stage.ErrCorrupt, err)
	}
	if len(k.Transforms) > maxTransforms {
		return k, fmt.Errorf("%w: %d transforms exceed the limit", stage.ErrCorrupt, len(k.Transforms))
	}
	return k, nil
}

// keyedOf returns the keyed transforms of a key's chain.
func keyedOf(kid string, k KeyFile, chain []stage.ByteTransform) ([]stage.Keyed, error) {
	var list []stage.Keyed
	for i, t := range k.Transforms {
		keyed, ok := chain[i].(stage.Keyed)
		if ok != t.Keyed {
			return nil, fmt.Errorf("%s%s: transform %s differs from the one that created the key: only one of them is keyed", object.KeysDir, kid, t.Name)
		}
		if ok {
			list = append(list, keyed)
		}
	}
	return list, nil
}

// unsealGeneration unseals the secret of a key with a chain whose transforms are open.
func unsealGeneration(ctx context.Context, r object.Root, kid string, k KeyFile, chain []stage.ByteTransform) (*Generation, error) {
	opener, err := newGeneration(r.ID, kid, k, chain, nil)
	if err != nil {
		return nil, err
	}
	secret, err := opener.unseal(ctx, nil, k.Secret, k.blobName(r.ID), secretSize)
	if err == nil && len(secret) != secretSize {
		err = fmt.Errorf("%w: the secret has %d bytes", stage.ErrCorrupt, len(secret))
	}
	if err != nil {
		return nil, object.Damaged(object.KeysDir+kid, "", err)
	}
	return newGeneration(r.ID, kid, k, chain, secret)
}

// Holds returns nil if the chain still uses this generation's key. A transform that was
// opened again for another key must not seal for this one.
func (e *Generation) Holds(ctx context.Context) error {
	if _, err := e.unseal(ctx, nil, e.Key.Secret, e.Key.blobName(e.repo), secretSize); err != nil {
		return fmt.Errorf("transforms were opened for another key while in use for %s%s (each repository needs its own transforms): %w", object.KeysDir, e.KID, err)
	}
	return nil
}

// ListKeys returns the IDs of all keys in the storage.
func ListKeys(ctx context.Context, s stage.Storage) ([]string, error) {
	kids, err := object.ListNames(ctx, s, object.KeysDir)
	if err != nil {
		return nil, fmt.Errorf("listing keys: %w", err)
	}
	return slices.DeleteFunc(kids, func(kid string) bool { return !object.IsName(kid) }), nil
}
