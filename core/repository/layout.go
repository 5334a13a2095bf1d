package repository

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// Format is the version of the repository's format that this package reads and writes.
const Format = 1

// The names of objects, see docs/repository.md.
const (
	rootName    = "repository.json"
	keysDir     = "keys/"
	accessDir   = "access/"
	packsDir    = "packs/"
	indexDir    = "index/"
	snapshotDir = "snapshots/"
	removalsDir = "removals/"
	locksDir    = "locks/"
	turnsDir    = "turns/"
)

func packName(kid, name string) string { return packsDir + kid + "/" + name[:2] + "/" + name }

func indexName(kid, name string) string { return indexDir + kid + "/" + name }

func snapshotName(kid, id string) string { return snapshotDir + kid + "/" + id }

// root is repository.json.
type root struct {
	Format  int       `json:"format"`
	ID      string    `json:"id"`
	Created time.Time `json:"created"`

	hash string // of the object's bytes; every key names it
}

func newRoot(now time.Time) (root, []byte, error) {
	id, err := randomName()
	if err != nil {
		return root{}, nil, err
	}
	r := root{Format: Format, ID: id, Created: now.UTC().Truncate(time.Second)}
	raw, err := json.Marshal(r)
	r.hash = hashOf(raw)
	return r, raw, err
}

// readRoot returns ErrNotExist where there is no repository.
func readRoot(ctx context.Context, s stage.Storage) (root, error) {
	raw, err := s.Get(ctx, nil, rootName, 0, -1)
	if err != nil {
		return root{}, fmt.Errorf("reading %s: %w", rootName, err)
	}
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(raw, &version); err != nil {
		return root{}, &Damage{Object: rootName, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, err)}
	}
	if version.Format != Format {
		return root{}, failure.New(failure.Refused, "%s: the repository has format %d, and this version of vault knows %d: take the vault that wrote it, or a newer one", rootName, version.Format, Format)
	}
	r := root{hash: hashOf(raw)}
	if err := strictJSON(raw, &r); err != nil {
		return root{}, &Damage{Object: rootName, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, err)}
	}
	return r, nil
}

// absent explains what is there instead of a repository; ErrNoRepository if
// nothing is. Its errors are of class failure.Refused.
func absent(ctx context.Context, s stage.Storage) error {
	foreign, err := foreignObject(ctx, s)
	if err != nil {
		return err
	}
	if foreign == "" {
		return failure.Wrap(failure.Refused, ErrNoRepository)
	}
	return failure.New(failure.Refused, "this is not a repository (no %s), and it is not empty: it holds for example %q; check the place, or use an empty one", rootName, foreign)
}

var errFound = errors.New("found")

// foreignObject names something that stands where a new repository would be
// made; "" if nothing does. A first backup that was killed leaves no more than a lock.
func foreignObject(ctx context.Context, s stage.Storage) (string, error) {
	var name string
	err := s.List(ctx, "", func(o stage.Object) error {
		if _, _, lock := parseLockName(o.Name); lock && strings.HasPrefix(o.Name, locksDir) {
			return nil
		}
		if _, turn := parseTurnName(o.Name); turn && strings.HasPrefix(o.Name, turnsDir) {
			return nil
		}
		name = o.Name
		return errFound
	})
	if err != nil && !errors.Is(err, errFound) {
		return "", fmt.Errorf("looking what is there: %w", err)
	}
	return name, nil
}

func hashOf(raw []byte) string {
	h := sha256.Sum256(raw)
	return hex.EncodeToString(h[:])
}

// strictJSON decodes one JSON value without unknown fields.
func strictJSON(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if len(bytes.TrimSpace(raw[d.InputOffset():])) > 0 {
		return errors.New("something follows the JSON value")
	}
	return nil
}
