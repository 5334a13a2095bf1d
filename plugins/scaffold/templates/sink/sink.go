package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/sdk"
)

// sink is an sdk.FileSink. Until Publish renames it, the list is FILE.unfinished, so that
// nobody mistakes a part for the whole.
type sink struct {
	sdk.UnimplementedSink
	path    string
	replace bool

	mu      sync.Mutex // many units are written at once
	f       *os.File
	written hash.Hash
}

func (s *sink) unfinished() string { return s.path + ".unfinished" }

// Check refuses if the list can't be written. It changes nothing.
func (s *sink) Check(ctx context.Context, _ *stage.Plan) (found stage.Findings, err error) {
	for path, what := range map[string]string{s.path: "exists", s.unfinished(): "was left by an interrupted run"} {
		if s.replace {
			break
		}
		_, err := os.Lstat(path)
		if err == nil {
			return found, failure.New(failure.Refused, "%s %s; remove it or set replace: true", path, what)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return found, failure.Wrap(failure.Refused, err)
		}
	}
	if _, err := os.Stat(filepath.Dir(s.path)); err != nil {
		return found, failure.Wrap(failure.Refused, err)
	}
	return found, ctx.Err()
}

// Begin prepares the target.
func (s *sink) Begin(context.Context, *stage.Plan) (err error) {
	s.written = sha256.New()
	s.f, err = os.OpenFile(s.unfinished(), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	return err
}

// WriteFiles starts a unit.
func (s *sink) WriteFiles(context.Context, stage.Unit) (stage.FileUnit, error) {
	return &unit{sink: s}, nil
}

// commit adds the lines of a unit.
func (s *sink) commit(lines []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.f.Write(lines); err != nil {
		return err
	}
	_, err := s.written.Write(lines)
	return err
}

// Finish completes the target after the last unit.
func (s *sink) Finish(context.Context, *stage.Outcome) error { return s.f.Sync() }

// Prove reads back what was written.
func (s *sink) Prove(context.Context) ([]stage.TableProof, error) {
	there := sha256.New()
	if _, err := s.f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if _, err := io.Copy(there, s.f); err != nil {
		return nil, err
	}
	if !bytes.Equal(there.Sum(nil), s.written.Sum(nil)) {
		return nil, failure.New(failure.Unproven, "%s does not hold what was written", s.unfinished())
	}
	return nil, nil
}

// Publish marks the proven target as complete.
func (s *sink) Publish(context.Context) error {
	if err := os.Rename(s.unfinished(), s.path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(s.path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Abort leaves the file under its unfinished name; the next Check refuses it.
func (s *sink) Abort(context.Context) error { return nil }

// Close closes the sink. It may be called twice.
func (s *sink) Close(context.Context) error {
	if s.f == nil {
		return nil
	}
	f := s.f
	s.f = nil
	return f.Close()
}
