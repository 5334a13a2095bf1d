package manifest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Snapshot is the manifest of one finished backup: plain data, read only.
type Snapshot struct {
	Format   int               `json:"format"`
	ID       string            `json:"id"`                 // YYYYMMDD-HHMMSS-XXXXXXXX, UTC
	Previous string            `json:"previous,omitempty"` // of the same pipeline, site and key
	After    string            `json:"after,omitempty"`    // KID/ID of the newest there was, of any pipeline and key
	Start    time.Time         `json:"start"`
	End      time.Time         `json:"end"`
	Host     string            `json:"host"`
	Pipeline string            `json:"pipeline"`       // its name
	Version  string            `json:"version"`        // of the vault that made it
	Tags     []string          `json:"tags,omitempty"` // as the pipeline gives them, sorted
	Facts    map[string]string `json:"facts,omitempty"`
	Original *stage.Original   `json:"original,omitempty"` // of a copy: the snapshot that was copied first
	Tables   []Table           `json:"tables"`
	Units    []Unit            `json:"units"`
	Losses   []stage.Loss      `json:"losses,omitempty"`
	Notes    []stage.Note      `json:"notes,omitempty"`
	Totals   Totals            `json:"totals"`

	KID      string  `json:"-"` // of the key that it is sealed with
	SignedBy *Signer `json:"-"` // nil: it is not signed
	Skipped  []Ref   `json:"-"` // see repository.Skipped; the newest first
}

// Signer tells who has signed the snapshot, and whether anybody has. Everything
// else of an unsigned snapshot could have been written by anybody with write access
// to the storage, unless the repository is encrypted with a passphrase.
func (s *Snapshot) Signer() (by Signer, ok bool) {
	if s.SignedBy == nil {
		return Signer{}, false
	}
	return *s.SignedBy, true
}

// Table is a table of a snapshot.
type Table struct {
	Schema schema.Table `json:"schema"`
	Proof  rows.Sum     `json:"proof"` // of the rows that are stored
	Bytes  int64        `json:"bytes"` // of rows
	// Dropped counts the rows that the pipeline's transforms left out.
	Dropped int64 `json:"dropped,omitempty"`
}

// Unit is a unit as it was backed up: its entries stand in a list, which is
// stored in chunks.
type Unit struct {
	ID      string      `json:"id"`
	Part    string      `json:"part"`
	Table   string      `json:"table,omitempty"`
	Entries int64       `json:"entries"`
	Files   int64       `json:"files,omitempty"` // of the entries
	Bytes   int64       `json:"bytes"`           // of content
	Proof   rows.Sum    `json:"proof"`           // of the rows, for a table
	List    []object.ID `json:"list"`
}

// Totals of a snapshot. New counts content and lists that no snapshot had before,
// Stored the bytes that were put into the storage before the manifest.
type Totals = stage.Totals

// Lacks counts what is not in the snapshot, although the site had it: its losses by kind.
func (s *Snapshot) Lacks() map[stage.LossKind]int64 {
	lacks := map[stage.LossKind]int64{}
	for _, l := range s.Losses {
		lacks[l.Kind] += max(1, l.Count)
	}
	return lacks
}

// Name is the name of the snapshot's object.
func (s *Snapshot) Name() string { return object.SnapshotName(s.KID, s.ID) }

// Version of the program that runs, as its build says.
func Version() string {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return b.Main.Version
	}
	return "unknown"
}

// PutSnapshot stores the manifest, reads it back and compares: from here on the backup exists.
func PutSnapshot(ctx context.Context, s stage.Storage, e *keyring.Generation, snap *Snapshot, key SigningKey) error {
	plain, err := json.Marshal(snap)
	if err != nil {
		return fmt.Errorf("describing the snapshot: %w", err)
	}
	name, blob := object.SnapshotName(e.KID, snap.ID), e.BlobName("snapshot", snap.ID)
	if plain, err = key.Sign(plain, blob); err != nil {
		return err
	}
	sealed, err := e.SealObject(ctx, plain, blob)
	if err != nil {
		return fmt.Errorf("sealing the snapshot: %w", err)
	}
	if err := s.Put(ctx, name, sealed); err != nil {
		return fmt.Errorf("storing the snapshot: %w", err)
	}
	back, err := e.GetObject(ctx, s, name, blob)
	if err == nil && !bytes.Equal(back, plain) {
		err = &object.Damage{Object: name, Err: fmt.Errorf("%w: it is not what was just stored", stage.ErrCorrupt)}
	}
	if err != nil {
		// What can't be read back must not pass for a backup.
		return errors.Join(fmt.Errorf("reading the snapshot back: %w", err), s.Delete(context.WithoutCancel(ctx), name))
	}
	return nil
}

// GetSnapshot loads a manifest; where signers are given, only what one of them
// has signed, else ErrUnsigned.
func GetSnapshot(ctx context.Context, s stage.Storage, e *keyring.Generation, id string, signers []Signer) (*Snapshot, error) {
	name, blob := object.SnapshotName(e.KID, id), e.BlobName("snapshot", id)
	content, err := e.GetObject(ctx, s, name, blob)
	if err != nil {
		return nil, err
	}
	manifest, by, err := Unsign(content, blob, signers)
	if err != nil {
		return nil, object.Damaged(name, "", err)
	}
	snap, err := parseSnapshot(manifest, name, e.KID, id)
	if err == nil {
		snap.SignedBy = by
	}
	return snap, err
}

func parseSnapshot(plain []byte, name, kid, id string) (*Snapshot, error) {
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(plain, &version); err != nil {
		return nil, &object.Damage{Object: name, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, err)}
	}
	if version.Format != object.Format {
		return nil, fmt.Errorf("%s: the snapshot has format %d, and this version of vault knows %d: take the vault that wrote it, or a newer one", name, version.Format, object.Format)
	}
	snap := &Snapshot{KID: kid}
	if err := json.Unmarshal(plain, snap); err != nil {
		return nil, &object.Damage{Object: name, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, err)}
	}
	if snap.ID != id {
		return nil, &object.Damage{Object: name, Err: fmt.Errorf("%w: it says that it is %q", stage.ErrCorrupt, snap.ID)}
	}
	return snap, nil
}
