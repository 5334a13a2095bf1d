package repository

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// keyFile is the object keys/KID, which describes one epoch. KID is the start
// of the SHA-256 of its bytes, in hex, so that it can't be changed unseen.
type keyFile struct {
	Format int             `json:"format"`
	Key    json.RawMessage `json:"key"`    // a keyTerms
	Secret []byte          `json:"secret"` // sealed by the transforms, as a blob whose name depends on the bytes of Key

	keyTerms `json:"-"`
}

// keyTerms is what the secret of a key is bound to: who opens the secret knows
// that its maker wrote these.
type keyTerms struct {
	Repository string         `json:"repository"` // SHA-256 of repository.json, in hex
	Created    time.Time      `json:"created"`
	Transforms []keyTransform `json:"transforms"` // in the order of Apply
}

type keyTransform struct {
	Name  string `json:"name"`
	Keyed bool   `json:"keyed,omitempty"` // it needs a header of an accessFile to open its key
}

const kidDigits = 32

// maxTransforms bounds the work that a key somebody else has written can ask for.
const maxTransforms = 16

// blobName is what the key's secret is bound to.
func (k *keyFile) blobName(repo string) string { return "vault/1/" + repo + "/secret/" + hashOf(k.Key) }

func (k *keyFile) encrypted() bool {
	return slices.ContainsFunc(k.Transforms, func(t keyTransform) bool { return t.Keyed })
}

// keyed counts the transforms that have a key.
func (k *keyFile) keyed() (n int) {
	for _, t := range k.Transforms {
		if t.Keyed {
			n++
		}
	}
	return n
}

func (k *keyFile) names() []string {
	names := make([]string, len(k.Transforms))
	for i, t := range k.Transforms {
		names[i] = t.Name
	}
	return names
}

// Transform is a transform as a pipeline lists it.
type Transform struct {
	Name  string
	Bytes stage.ByteTransform
}

// createEpoch makes a new key and returns the headers that open it, and its object;
// nothing is stored.
func createEpoch(ctx context.Context, r root, now time.Time, transforms []Transform) (e *epoch, headers [][]byte, raw []byte, err error) {
	k := keyFile{Format: Format, keyTerms: keyTerms{Repository: r.hash, Created: now.UTC(), Transforms: []keyTransform{}}}
	var chain []stage.ByteTransform
	for _, t := range transforms {
		kt := keyTransform{Name: t.Name}
		if keyed, ok := t.Bytes.(stage.Keyed); ok {
			header, err := keyed.Create(ctx)
			if err != nil {
				return nil, nil, nil, fmt.Errorf("making a key for transform %s: %w", t.Name, err)
			}
			kt.Keyed = true
			headers = append(headers, header)
		}
		k.Transforms = append(k.Transforms, kt)
		chain = append(chain, t.Bytes)
	}
	if k.Key, err = json.Marshal(k.keyTerms); err != nil {
		return nil, nil, nil, fmt.Errorf("describing the key: %w", err)
	}
	secret, err := newSecret()
	if err != nil {
		return nil, nil, nil, err
	}
	sealer, err := newEpoch(r.ID, "", k, chain, secret)
	if err != nil {
		return nil, nil, nil, err
	}
	if k.Secret, err = sealer.seal(ctx, nil, secret, k.blobName(r.ID)); err != nil {
		return nil, nil, nil, fmt.Errorf("sealing the key: %w", err)
	}
	if raw, err = json.Marshal(&k); err != nil {
		return nil, nil, nil, fmt.Errorf("describing the key: %w", err)
	}
	e, err = newEpoch(r.ID, hashOf(raw)[:kidDigits], k, chain, secret)
	return e, headers, raw, err
}

// readKey reads and checks a key file, without opening the key.
func readKey(ctx context.Context, s stage.Storage, r root, kid string) (keyFile, error) {
	name := keysDir + kid
	raw, err := s.Get(ctx, nil, name, 0, -1)
	if err != nil {
		return keyFile{}, damaged(name, "", err)
	}
	if hashOf(raw)[:kidDigits] != kid {
		return keyFile{}, &Damage{Object: name, Err: fmt.Errorf("%w: its content is not what its name says", stage.ErrCorrupt)}
	}
	k, err := parseKey(raw)
	if err != nil {
		return keyFile{}, damaged(name, "", err)
	}
	if k.Repository != r.hash {
		return keyFile{}, &Damage{Object: rootName, Err: fmt.Errorf("%w: it is not the one that %s was made for", stage.ErrCorrupt, name)}
	}
	return k, nil
}

func parseKey(raw []byte) (k keyFile, err error) {
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(raw, &version); err != nil {
		return k, fmt.Errorf("%w: %w", stage.ErrCorrupt, err)
	}
	if version.Format != Format {
		return k, fmt.Errorf("the key has format %d, and this version of vault knows %d", version.Format, Format)
	}
	if err := strictJSON(raw, &k); err != nil {
		return k, fmt.Errorf("%w: %w", stage.ErrCorrupt, err)
	}
	if err := strictJSON(k.Key, &k.keyTerms); err != nil {
		return k, fmt.Errorf("%w: %w", stage.ErrCorrupt, err)
	}
	if len(k.Transforms) > maxTransforms {
		return k, fmt.Errorf("%w: it has %d transforms", stage.ErrCorrupt, len(k.Transforms))
	}
	return k, nil
}

// keyedOf returns the keyed transforms of the chain of a key.
func keyedOf(kid string, k keyFile, chain []stage.ByteTransform) ([]stage.Keyed, error) {
	var list []stage.Keyed
	for i, t := range k.Transforms {
		keyed, ok := chain[i].(stage.Keyed)
		if ok != t.Keyed {
			return nil, fmt.Errorf("%s%s: transform %s is not the one that made it: one of the two has a key", keysDir, kid, t.Name)
		}
		if ok {
			list = append(list, keyed)
		}
	}
	return list, nil
}

// unsealEpoch opens the secret of a key with a chain whose keys are open.
func unsealEpoch(ctx context.Context, r root, kid string, k keyFile, chain []stage.ByteTransform) (*epoch, error) {
	opener, err := newEpoch(r.ID, kid, k, chain, nil)
	if err != nil {
		return nil, err
	}
	secret, err := opener.unseal(ctx, nil, k.Secret, k.blobName(r.ID), secretSize)
	if err == nil && len(secret) != secretSize {
		err = fmt.Errorf("%w: the secret has %d bytes", stage.ErrCorrupt, len(secret))
	}
	if err != nil {
		return nil, damaged(keysDir+kid, "", err)
	}
	return newEpoch(r.ID, kid, k, chain, secret)
}

// holds tells whether the chain still works under this epoch's key, and was not
// given another since.
func (e *epoch) holds(ctx context.Context) error {
	if _, err := e.unseal(ctx, nil, e.key.Secret, e.key.blobName(e.repo), secretSize); err != nil {
		return fmt.Errorf("the transforms were given another key while they sealed under %s%s (each repository needs transforms of its own): %w", keysDir, e.kid, err)
	}
	return nil
}

// listKeys returns the ids of the keys there are.
func listKeys(ctx context.Context, s stage.Storage) ([]string, error) {
	kids, err := listNames(ctx, s, keysDir)
	if err != nil {
		return nil, fmt.Errorf("listing keys: %w", err)
	}
	return slices.DeleteFunc(kids, func(kid string) bool { return !isName(kid) }), nil
}
