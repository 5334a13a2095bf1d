package site

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
)

// source makes the documents when it plans, and keeps them in memory.
type source struct {
	config    *Config
	version   string // of Vault
	documents []document
}

// document is a file of a snapshot that Vault writes itself.
type document struct {
	name    string // below site/
	content []byte
}

// unit is the ID of the only unit.
const unit = stage.Site

func (s *source) Plan(ctx context.Context, _ stage.PlanRequest) (*stage.Inventory, error) {
	d, err := describe(ctx, s.config)
	if err != nil {
		return nil, err
	}
	inv := &stage.Inventory{Notes: d.notes, Facts: map[string]string{}}
	if err := d.facts(inv.Facts); err != nil {
		return nil, err
	}
	if s.documents, err = d.documents(s.config, s.version, time.Now()); err != nil {
		return nil, err
	}
	u := stage.Unit{ID: unit, Part: stage.Site, Rows: int64(len(s.documents))}
	for _, one := range s.documents {
		u.Bytes += int64(len(one.content))
	}
	inv.Units = []stage.Unit{u}
	return inv, nil
}

func (s *source) ReadFiles(ctx context.Context, r stage.ReadRequest, w stage.FileWriter) error {
	if r.Unit.ID != unit {
		return fmt.Errorf("unit %q does not belong to this source", r.Unit.ID)
	}
	for _, d := range s.documents {
		if err := write(ctx, d, w); err != nil {
			return err
		}
	}
	return nil
}

// write passes on a document. Errors of w are returned unchanged.
func write(ctx context.Context, d document, w stage.FileWriter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e := stage.Entry{Path: stage.Site + "/" + d.name, Kind: stage.Document, Size: int64(len(d.content)), Mode: 0o600}
	if err := w.Open(ctx, e); err != nil {
		return err
	}
	for rest := d.content; len(rest) > 0; {
		n := min(len(rest), rows.MaxChunk)
		if err := w.Write(ctx, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	sum := sha256.Sum256(d.content)
	return w.Close(ctx, stage.Digest{Bytes: e.Size, SHA256: hex.EncodeToString(sum[:])})
}

func (s *source) Close(context.Context) error { return nil }
