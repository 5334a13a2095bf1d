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

// newFile is a file that is written under a temporary name.
type newFile struct {
	dir        *os.Root
	temp, name string
	entry      stage.Entry
	f          *os.File
	lost       *stage.Loss // its time, after finish
}

// create makes a file that is to have a name in dir.
func create(dir *os.Root, temp, name string, e stage.Entry) (*newFile, error) {
	// O_EXCL: a link of that name would not be followed.
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

// discard removes the file while it has no name.
func (n *newFile) discard() error { return errors.Join(n.f.Close(), n.dir.Remove(n.temp)) }

// finish gives the file its owner, if it has a known one, its mode and time, proves it,
// and names it. buf is for reading.
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
	// Writing and a new owner take setuid and setgid away, so the mode comes after them.
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

// prove reads a file back, through the descriptor it was written by because its
// mode may forbid to open it.
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
		return failure.New(failure.Unproven, "%s was written with %d bytes and sum %s and must have %d bytes and sum %s", n.entry.Path, size, got, d.Bytes, want)
	}
	return nil
}

var errOccupied = errors.New("there is something of that name already; two entries have one name, or names that this file system takes for one")

// vacant refuses a name that is taken, unless the entry may overwrite a file there.
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
	return fmt.Errorf("naming it: %w", errOccupied)
}
