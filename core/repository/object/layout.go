package object

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
)

// Format is the version of the repository format that this package reads and writes.
const Format = 1

// Names and prefixes of objects; see docs/repository.md.
const (
	RootName    = "repository.json"
	KeysDir     = "keys/"
	AccessDir   = "access/"
	PacksDir    = "packs/"
	IndexDir    = "index/"
	SnapshotDir = "snapshots/"
	RemovalsDir = "removals/"
	LocksDir    = "locks/"
	TurnsDir    = "turns/"
)

// PackName returns the name of a pack's object.
func PackName(kid, name string) string { return PacksDir + kid + "/" + name[:2] + "/" + name }

// IndexName returns the name of an index object.
func IndexName(kid, name string) string { return IndexDir + kid + "/" + name }

// SnapshotName returns the name of a manifest's object.
func SnapshotName(kid, id string) string { return SnapshotDir + kid + "/" + id }

// Root is the content of repository.json.
type Root struct {
	Format  int       `json:"format"`
	ID      string    `json:"id"`
	Created time.Time `json:"created"`

	Hash string `json:"-"` // of the object's bytes; every key contains it
}

// NewRoot returns a root with a new ID, and its encoding. It stores nothing.
func NewRoot(now time.Time) (Root, []byte, error) {
	id, err := RandomName()
	if err != nil {
		return Root{}, nil, err
	}
	r := Root{Format: Format, ID: id, Created: now.UTC().Truncate(time.Second)}
	raw, err := json.Marshal(r)
	r.Hash = HashOf(raw)
	return r, raw, err
}

// ReadRoot reads repository.json. The error wraps stage.ErrNotExist if there is none.
func ReadRoot(ctx context.Context, s stage.Storage) (Root, error) {
	raw, err := s.Get(ctx, nil, RootName, 0, -1)
	if err != nil {
		return Root{}, fmt.Errorf("reading %s: %w", RootName, err)
	}
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(raw, &version); err != nil {
		return Root{}, &Damage{Object: RootName, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, err)}
	}
	if version.Format != Format {
		return Root{}, failure.New(failure.Refused, "%s: unsupported repository format %d (this vault supports %d); use the version of vault that wrote it, or a newer one", RootName, version.Format, Format)
	}
	r := Root{Hash: HashOf(raw)}
	if err := StrictJSON(raw, &r); err != nil {
		return Root{}, &Damage{Object: RootName, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, err)}
	}
	return r, nil
}

// HashOf returns the SHA-256 of raw in hex.
func HashOf(raw []byte) string {
	h := sha256.Sum256(raw)
	return hex.EncodeToString(h[:])
}

// StrictJSON decodes a single JSON value and rejects unknown fields.
func StrictJSON(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if len(bytes.TrimSpace(raw[d.InputOffset():])) > 0 {
		return errors.New("unexpected data after the JSON value")
	}
	return nil
}

// ListNames returns the random names below prefix.
func ListNames(ctx context.Context, s stage.Storage, prefix string) ([]string, error) {
	var names []string
	err := s.List(ctx, prefix, func(o stage.Object) error {
		names = append(names, strings.TrimPrefix(o.Name, prefix))
		return nil
	})
	slices.Sort(names)
	return names, err
}

// Size limits of a repository.
const (
	MaxChunk   = 1 << 30           // bytes of plaintext: one row with all its values
	MaxScratch = 2 * rows.MaxChunk // larger buffers are not kept for reuse
)
