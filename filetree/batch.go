package filetree

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// Limits of a batch: it is made durable and named when one of them is reached.
const (
	batchFiles = 128 // files, and directories, that are open at once
	batchBytes = 64 << 20
)

// batch is files that are written but have no name yet. They are made durable
// together, because a disk does that much faster than one by one.
type batch struct {
	sink  *Sink
	files []*pending
	bytes int64
	open  map[string]*os.Root // directories by path, "" is the root
	dirty bool                // names were given that are not durable
	buf   []byte
}

// pending is a file under a temporary name.
type pending struct {
	dir        *os.Root
	temp, name string
	path       string // below the root
	entry      stage.Entry
	digest     stage.Digest
	size       int64
	f          *os.File
}

func newBatch(s *Sink) *batch { return &batch{sink: s, open: map[string]*os.Root{"": s.root}} }

// dir opens the directory at a path, makes what is missing of it, and follows no link.
func (b *batch) dir(path string) (*os.Root, error) {
	if d, ok := b.open[path]; ok {
		return d, nil
	}
	above, name := split(path)
	parent, err := b.dir(above)
	if err != nil {
		return nil, err
	}
	err = parent.Mkdir(name, 0o700)
	if err == nil {
		b.dirty = true
		err = parent.Chmod(name, FileMode(b.sink.mode|0o700))
	} else if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	d, err := OpenDir(parent, name)
	if err != nil {
		return nil, fmt.Errorf("opening the directory %s: %w", path, err)
	}
	b.open[path] = d
	return d, nil
}

func (b *batch) create(path string, e stage.Entry) (*pending, error) {
	above, name := split(path)
	dir, err := b.dir(above)
	if err != nil {
		return nil, err
	}
	p := &pending{dir: dir, temp: b.sink.tempName(), name: name, path: path, entry: e}
	// O_EXCL: a link of that name would not be followed.
	if p.f, err = dir.OpenFile(p.temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *pending) discard() error {
	return errors.Join(p.f.Close(), p.dir.Remove(p.temp))
}

func (b *batch) symlink(path, target string) error {
	above, name := split(path)
	dir, err := b.dir(above)
	if err != nil {
		return err
	}
	b.dirty = true
	return dir.Symlink(target, name)
}

// add takes a file that is written to its end.
func (b *batch) add(p *pending, d stage.Digest) error {
	b.files = append(b.files, p) // its now, to discard if anything fails
	p.digest = d
	// Writing takes setuid and setgid away, so the mode comes after it.
	if err := p.f.Chmod(FileMode(p.entry.Mode)); err != nil {
		return err
	}
	if t := p.entry.ModTime; !t.IsZero() {
		if err := p.dir.Chtimes(p.temp, t, t); err != nil {
			return err
		}
	}
	b.bytes += p.size
	return nil
}

// makeRoom flushes a batch that is full. No file may be open for writing.
func (b *batch) makeRoom(ctx context.Context) error {
	if len(b.files) < batchFiles && len(b.open) < batchFiles && b.bytes < batchBytes {
		return nil
	}
	return b.flush(ctx)
}

// flush makes the files durable, reads them back and gives them their names.
func (b *batch) flush(ctx context.Context) error {
	if err := b.persist(); err != nil {
		return err
	}
	for _, p := range b.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := b.prove(p); err != nil {
			return err
		}
	}
	for len(b.files) > 0 {
		p := b.files[0]
		if err := p.place(b.sink.layout.Overwrites(p.path)); err != nil {
			return err
		}
		b.files, b.dirty = b.files[1:], true
	}
	b.files, b.bytes = nil, 0
	if len(b.open) < batchFiles {
		return nil
	}
	if err := b.persist(); err != nil { // while the directories are open
		return err
	}
	b.dirty = false
	return b.closeDirs()
}

func (b *batch) persist() error {
	dirs := make([]*os.Root, 0, len(b.open))
	for _, d := range b.open {
		dirs = append(dirs, d)
	}
	files := make([]*os.File, 0, len(b.files))
	for _, p := range b.files {
		files = append(files, p.f)
	}
	return persist(dirs, files)
}

// prove reads a file back, through the descriptor it was written by because its
// mode may forbid to open it.
func (b *batch) prove(p *pending) error {
	want, sum := p.digest.SHA256, sha256.New()
	if want == "" {
		want, sum = p.digest.SHA1, sha1.New()
	}
	if b.buf == nil {
		b.buf = make([]byte, 256<<10)
	}
	n, err := io.CopyBuffer(sum, io.NewSectionReader(p.f, 0, 1<<62), b.buf)
	if err != nil {
		return failure.New(failure.Unproven, "reading back %s: %w", p.entry.Path, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); n != p.digest.Bytes || got != want {
		return failure.New(failure.Unproven, "%s was written with %d bytes and sum %s and must have %d bytes and sum %s", p.entry.Path, n, got, p.digest.Bytes, want)
	}
	return nil
}

func (p *pending) place(overwrite bool) error {
	if err := vacant(p.dir, p.name, overwrite); err != nil {
		return fmt.Errorf("naming %s: %w", p.entry.Path, err)
	}
	if err := p.f.Close(); err != nil {
		return fmt.Errorf("closing %s: %w", p.entry.Path, err)
	}
	if err := p.dir.Rename(p.temp, p.name); err != nil {
		return fmt.Errorf("naming %s: %w", p.entry.Path, err)
	}
	return nil
}

// commit flushes and makes the names durable.
func (b *batch) commit(ctx context.Context) error {
	if err := b.flush(ctx); err != nil {
		return err
	}
	if b.dirty {
		if err := b.persist(); err != nil {
			return err
		}
		b.dirty = false
	}
	return b.closeDirs()
}

// discard removes the files that have no name yet.
func (b *batch) discard() error {
	var errs []error
	for _, p := range b.files {
		errs = append(errs, p.discard())
	}
	b.files = nil
	return errors.Join(append(errs, b.closeDirs())...)
}

func (b *batch) closeDirs() error {
	var errs []error
	for path, d := range b.open {
		if path != "" {
			errs = append(errs, d.Close())
			delete(b.open, path)
		}
	}
	return errors.Join(errs...)
}
