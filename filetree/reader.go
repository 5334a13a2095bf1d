package filetree

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math/bits"
	"os"
	"syscall"
	"time"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
)

// Reader passes files to a stage.FileWriter. It keeps a buffer of at most one chunk.
// It is used by one goroutine.
type Reader struct {
	Hash   func() hash.Hash
	Digest func(bytes int64, sum string) stage.Digest
	// Want returns the checksum that the file at a path must have, "" for any. nil:
	// any.
	Want  func(path string) string
	Known stage.Baseline
	Out   stage.FileWriter
	buf   []byte
}

// Maximum number of attempts to read a file that changes while it is read, or that
// has the wrong checksum.
const readTries = 3

// verdict is the result of reading a file once.
type verdict int

const (
	carried  verdict = iota // or reported as a loss
	changing                // it changed while it was read
	corrupt                 // it is stable, but does not match its name
)

// File passes on a regular file. It reads a changing file again; if the file keeps
// changing, File keeps the last version and reports a loss. A file that cannot be
// read is reported as a loss.
func (r *Reader) File(ctx context.Context, f Found) error {
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		file, info, err := openFile(f.Dir, f.Name)
		if err != nil {
			return r.lost(ctx, f.Path, err, try > 1)
		}
		e := stage.Entry{Path: f.Path, Kind: stage.File, Size: info.Size(), Mode: Mode(info.Mode()), ModTime: info.ModTime(), Owner: Owner(info)}
		if try == 1 { // a file that needed retries is read again by the next backup
			e.Fingerprint = Fingerprint(info, time.Now())
		}
		if known, ok := r.Known[e.Path]; ok && e.Fingerprint != "" && known == e.Fingerprint {
			return only(r.Out.Same(ctx, e), file.Close())
		}
		v, err := r.copy(ctx, e, info, file, try)
		if err := only(err, file.Close()); err != nil || v == carried {
			return err
		}
	}
}

// only returns err unchanged, and other only if err is nil: errors of a
// stage.FileWriter must reach its owner unchanged.
func only(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func (r *Reader) copy(ctx context.Context, e stage.Entry, before fs.FileInfo, file *os.File, try int) (verdict, error) {
	if err := r.Out.Open(ctx, e); err != nil {
		return carried, err
	}
	sum := r.Hash()
	n := int64(0)
	for n < e.Size { // no further, because a growing file might never end
		piece := r.buffer(e.Size - n)
		got, err := io.ReadFull(file, piece)
		n += int64(got)
		if got > 0 {
			sum.Write(piece[:got])
			if err := r.Out.Write(ctx, piece[:got]); err != nil {
				return carried, err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			if err := r.Out.Drop(ctx); err != nil {
				return carried, err
			}
			return carried, r.lost(ctx, e.Path, err, true)
		}
	}
	after, err := file.Stat()
	if err != nil {
		return carried, err
	}
	digest := hex.EncodeToString(sum.Sum(nil))
	v := carried
	switch {
	case n != e.Size || after.Size() != e.Size || !after.ModTime().Equal(before.ModTime()):
		v = changing
	case r.Want != nil && r.Want(e.Path) != "" && r.Want(e.Path) != digest:
		v = corrupt
	}
	if v == changing && try < readTries || v == corrupt && try == 1 {
		return v, r.Out.Drop(ctx)
	}
	if err := r.Out.Close(ctx, r.Digest(n, digest)); err != nil {
		return carried, err
	}
	switch v {
	case changing:
		return carried, r.Out.Loss(ctx, stage.Loss{Kind: stage.LossChanged, Path: e.Path, Count: 1,
			Reason: fmt.Sprintf("it changed during each of %d reads; the last version is kept", try)})
	case corrupt:
		return carried, r.Out.Loss(ctx, stage.Loss{Kind: stage.LossCorrupt, Path: e.Path, Count: 1,
			Reason: fmt.Sprintf("its content has the checksum %s; it is kept under its name", digest)})
	}
	return carried, nil
}

// buffer returns a buffer for the next piece of a file with that much left.
func (r *Reader) buffer(left int64) []byte {
	want := int(min(left, rows.MaxChunk))
	if cap(r.buf) < want {
		r.buf = make([]byte, 1<<bits.Len(uint(want-1)))
	}
	return r.buf[:want]
}

// lost reports that a file could not be read; begun is set if it existed before.
func (r *Reader) lost(ctx context.Context, path string, err error, begun bool) error {
	gone := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESTALE)
	switch {
	case fatal(err):
		return err
	case gone && !begun: // no longer part of the site
		return nil
	case gone:
		return r.Out.Loss(ctx, stage.Loss{Kind: stage.LossChanged, Path: path, Reason: "it vanished while it was read", Count: 1})
	case errors.Is(err, errNotRegular):
		return r.Out.Loss(ctx, stage.Loss{Kind: stage.LossChanged, Path: path, Reason: "it was replaced by something else while it was read", Count: 1})
	}
	return r.Out.Loss(ctx, stage.Loss{Kind: stage.LossUnreadable, Path: path, Reason: reason(err), Count: 1})
}

var errNotRegular = errors.New("not a regular file")

// openFile opens a regular file without following links or waiting for the other end
// of a pipe.
func openFile(dir *os.Root, name string) (*os.File, fs.FileInfo, error) {
	before, err := dir.Lstat(name)
	if err != nil {
		return nil, nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, nil, errNotRegular
	}
	f, err := dir.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err == nil && !os.SameFile(before, info) { // replaced, perhaps by a link that was followed
		err = errNotRegular
		if again, err2 := dir.Lstat(name); err2 == nil && os.SameFile(again, info) {
			err = nil
		}
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}
