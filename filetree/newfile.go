package filetree

import (
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

// newFile is a file being written under a temporary name.
type newFile struct {
	dir        *os.Root
	temp, name string
	entry      stage.Entry
	f          *os.File
	lost       *stage.Loss // loss of its time, set by finish
}

// create creates a file that will get a name in dir.
func create(dir *os.Root, temp, name string, e stage.Entry) (*newFile, error) {
	// O_EXCL does not follow a link with that name.
	f, err := dir.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &newFile{dir: dir, temp: temp, name: name, entry: e, f: f}, nil
}

func (n *newFile) write(data []byte) error {
	_, err := n.f.Write(data)
	return err
}

// discard removes the file before it gets its name.
func (n *newFile) discard() error { return errors.Join(n.f.Close(), n.dir.Remove(n.temp)) }

// finish sets the file's owner, if known, its mode and time, proves it, and renames
// it. buf is used for reading.
func (n *newFile) finish(d stage.Digest, mode uint32, owner stage.Owner, overwrite bool, buf []byte) error {
	err := n.complete(d, mode, owner, buf)
	if err == nil {
		err = vacant(n.dir, n.name, overwrite)
	}
	if err == nil {
		err = n.dir.Rename(n.temp, n.name)
	}
	if err != nil {
		return errors.Join(err, n.discard())
	}
	return n.f.Close()
}

func (n *newFile) complete(d stage.Digest, mode uint32, owner stage.Owner, buf []byte) error {
	if owner.Known {
		if err := ownFile(n.f, owner); err != nil {
			return err
		}
	}
	// Writing and changing the owner clear setuid and setgid, so the mode is set
	// afterwards.
	if err := n.f.Chmod(FileMode(mode)); err != nil {
		return err
	}
	if t := n.entry.ModTime; !t.IsZero() {
		err := setTime(n.dir, n.temp, t)
		if err == nil {
			n.lost, err = lostTime(n.dir, n.temp, n.entry)
		}
		if err != nil {
			return err
		}
	}
	if err := syncFile(n.f); err != nil {
		return err
	}
	return n.prove(d, buf)
}

// prove reads a file back through the descriptor it was written with, because its
// mode may forbid opening it.
func (n *newFile) prove(d stage.Digest, buf []byte) error {
	want, sum := d.SHA256, sha256.New()
	if want == "" {
		want, sum = d.SHA1, sha1.New()
	}
	size, err := io.CopyBuffer(sum, io.NewSectionReader(n.f, 0, 1<<62), buf)
	if err != nil {
		return failure.New(failure.Unproven, "reading back %s: %w", n.entry.Path, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); size != d.Bytes || got != want {
		return failure.New(failure.Unproven, "%s has %d bytes and checksum %s, want %d bytes and checksum %s", n.entry.Path, size, got, d.Bytes, want)
	}
	return nil
}

var errOccupied = errors.New("the name exists already; two entries have the same name, or names that this file system treats as equal")

// vacant returns an error if a name exists, unless the entry may overwrite a file.
func vacant(dir *os.Root, name string, overwrite bool) error {
	info, err := dir.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case overwrite && info.Mode().IsRegular():
		return nil
	}
	return fmt.Errorf("renaming it: %w", errOccupied)
}
