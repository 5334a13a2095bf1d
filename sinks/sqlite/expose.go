package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/lmsvault/vault/core/stage"
)

var _ stage.Decider = (*Sink)(nil)

// publication is the suffix of a file that names a run and the file that it publishes.
const publication = ".vault-run"

// published is the content of that file, as JSON. The file that a run has built keeps its
// inode when it gets the database's name.
type published struct {
	Run           string
	Device, Inode uint64
}

// Expose records the run and the file that it has built.
func (s *Sink) Expose(_ context.Context, run string) error {
	if s.complete == nil {
		return errors.New("Expose without Finish")
	}
	p, err := identify(s.complete)
	if err != nil {
		return err
	}
	p.Run = run
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	name := s.config.Path + publication
	s.exposed = run
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("recording the run: %w", err)
	}
	return syncPath(filepath.Dir(name))
}

// Published reports whether the database is the file that the run has built.
func (s *Sink) Published(_ context.Context, run string) (bool, error) {
	text, err := os.ReadFile(s.config.Path + publication)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var p published
	if json.Unmarshal(text, &p) != nil || p.Run != run { // a file cut short was written before the exchange
		return false, nil
	}
	info, err := os.Lstat(s.config.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	is, err := identify(info)
	return err == nil && is.Device == p.Device && is.Inode == p.Inode, err
}

// Settle removes what Expose recorded, and the unfinished file of a run that has died.
func (s *Sink) Settle(context.Context) error {
	if s.claim != nil {
		return s.forget()
	}
	path := s.config.Path + partial
	left, err := claimLeft(path)
	if err != nil {
		return err
	}
	return errors.Join(s.forget(), removeAll(path, path+"-journal", path+"-wal", path+"-shm"), left.release())
}

func (s *Sink) forget() error { return removeAll(s.config.Path + publication) }

func identify(info fs.FileInfo) (p published, err error) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return p, errors.New("this system does not identify files")
	}
	return published{Device: uint64(st.Dev), Inode: st.Ino}, nil
}
