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

// Snapshot is the manifest of a finished backup. It must not be modified.
type Snapshot struct {
	Format   int               `json:"format"`
	ID       string            `json:"id"`                 // YYYYMMDD-HHMMSS-XXXXXXXX, UTC
	Previous string            `json:"previous,omitempty"` // the preceding snapshot of the same pipeline, site and key
	After    string            `json:"after,omitempty"`    // KID/ID of the newest snapshot at the time, of any pipeline and key
	Start    time.Time         `json:"start"`
	End      time.Time         `json:"end"`
	Host     string            `json:"host"`
	Pipeline string            `json:"pipeline"`       // name of the pipeline
	Version  string            `json:"version"`        // of the vault that created it
	Tags     []string          `json:"tags,omitempty"` // given by the pipeline, sorted
	Facts    map[string]string `json:"facts,omitempty"`
	Original *stage.Original   `json:"original,omitempty"` // only in a copy: the first original
	Tables   []Table           `json:"tables"`
	Units    []Unit            `json:"units"`
	Losses   []stage.Loss      `json:"losses,omitempty"`
	Notes    []stage.Note      `json:"notes,omitempty"`
	Log      []stage.LogEntry  `json:"log,omitempty"` // of the run, until the snapshot was stored
	Totals   Totals            `json:"totals"`

	KID      string  `json:"-"` // of the key that seals it
	SignedBy *Signer `json:"-"` // nil if it is not signed
	Skipped  []Ref   `json:"-"` // see repository.Skipped; newest first
}

// Signer returns the signer of the snapshot, and whether it is signed. An unsigned
// snapshot may have been forged by anyone with write access to the storage, unless the
// repository is encrypted with a passphrase.
func (s *Snapshot) Signer() (by Signer, ok bool) {
	if s.SignedBy == nil {
		return Signer{}, false
	}
	return *s.SignedBy, true
}

// Table is a table of a snapshot.
type Table struct {
	Schema schema.Table `json:"schema"`
	Proof  rows.Sum     `json:"proof"` // of the stored rows
	Bytes  int64        `json:"bytes"` // of rows
	// Dropped is the number of rows that the pipeline's transforms removed.
	Dropped int64 `json:"dropped,omitempty"`
	// Added is the number of rows among the stored ones that the transforms added.
	Added int64 `json:"added,omitempty"`
}

// Unit describes a unit of the backup. Its entries are in a list, which is stored in
// chunks.
type Unit struct {
	ID      string      `json:"id"`
	Part    string      `json:"part"`
	Table   string      `json:"table,omitempty"`
	Entries int64       `json:"entries"`
	Files   int64       `json:"files,omitempty"` // how many of the entries are files
	Bytes   int64       `json:"bytes"`           // of content
	Proof   rows.Sum    `json:"proof"`           // of the rows, for a table
	List    []object.ID `json:"list"`
}

// Totals are the totals of a snapshot. New counts content and lists that were new to the
// repository, and Stored the bytes that were stored before the manifest.
type Totals = stage.Totals

// Lacks counts the losses of the snapshot by kind.
func (s *Snapshot) Lacks() map[stage.LossKind]int64 {
	lacks := map[stage.LossKind]int64{}
	for _, l := range s.Losses {
		lacks[l.Kind] += max(1, l.Count)
	}
	return lacks
}

// Name returns the name of the snapshot's object.
func (s *Snapshot) Name() string { return object.SnapshotName(s.KID, s.ID) }

// Version returns the version of the running program.
func Version() string {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return b.Main.Version
	}
	return "unknown"
}

// PutSnapshot stores the manifest, reads it back and compares it. If it returns nil, the
// backup exists.
func PutSnapshot(ctx context.Context, s stage.Storage, e *keyring.Generation, snap *Snapshot, key SigningKey) error {
	plain, err := json.Marshal(snap)
	if err != nil {
		return fmt.Errorf("encoding the snapshot: %w", err)
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
		err = &object.Damage{Object: name, Err: fmt.Errorf("%w: it differs from what was stored", stage.ErrCorrupt)}
	}
	if err != nil {
		// A manifest that can't be read back must not look like a backup.
		return errors.Join(fmt.Errorf("reading the snapshot back: %w", err), s.Delete(context.WithoutCancel(ctx), name))
	}
	return nil
}

// GetSnapshot loads a manifest. If signers is not empty and none of them has signed it,
// the error wraps ErrUnsigned.
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
		return nil, fmt.Errorf("%s: unsupported snapshot format %d (this vault supports %d); use the version of vault that wrote it, or a newer one", name, version.Format, object.Format)
	}
	snap := &Snapshot{KID: kid}
	if err := json.Unmarshal(plain, snap); err != nil {
		return nil, &object.Damage{Object: name, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, err)}
	}
	if snap.ID != id {
		return nil, &object.Damage{Object: name, Err: fmt.Errorf("%w: the manifest is that of snapshot %q", stage.ErrCorrupt, snap.ID)}
	}
	return snap, nil
}
