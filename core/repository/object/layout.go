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

// Format is the version of the repository's format that this package reads and writes.
const Format = 1

// The names of objects, see docs/repository.md.
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

func PackName(kid, name string) string { return PacksDir + kid + "/" + name[:2] + "/" + name }

func IndexName(kid, name string) string { return IndexDir + kid + "/" + name }

func SnapshotName(kid, id string) string { return SnapshotDir + kid + "/" + id }

// Root is repository.json.
type Root struct {
	Format  int       `json:"format"`
	ID      string    `json:"id"`
	Created time.Time `json:"created"`

	Hash string `json:"-"` // of the object's bytes; every key names it
}

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

// ReadRoot returns ErrNotExist where there is no repository.
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
		return Root{}, failure.New(failure.Refused, "%s: the repository has format %d, and this version of vault knows %d: take the vault that wrote it, or a newer one", RootName, version.Format, Format)
	}
	r := Root{Hash: HashOf(raw)}
	if err := StrictJSON(raw, &r); err != nil {
		return Root{}, &Damage{Object: RootName, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, err)}
	}
	return r, nil
}

func HashOf(raw []byte) string {
	h := sha256.Sum256(raw)
	return hex.EncodeToString(h[:])
}

// StrictJSON decodes one JSON value without unknown fields.
func StrictJSON(raw []byte, v any) error {
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

func ListNames(ctx context.Context, s stage.Storage, prefix string) ([]string, error) {
	var names []string
	err := s.List(ctx, prefix, func(o stage.Object) error {
		names = append(names, strings.TrimPrefix(o.Name, prefix))
		return nil
	})
	slices.Sort(names)
	return names, err
}

// Limits of what a repository holds.
const (
	MaxChunk   = 1 << 30           // plain bytes: one row with all its values
	MaxScratch = 2 * rows.MaxChunk // buffers larger than that are not kept
)
