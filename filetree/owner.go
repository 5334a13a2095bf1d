package filetree

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// KeepOwner is the value of the setting owner with which entries get the owner that
// they had; any other has them belong to who restores.
const KeepOwner = "keep"

// owners counts whom entries belong to.
type owners struct {
	known   map[stage.Owner]int64
	unknown int64
}

// maxOwners bounds the memory for a snapshot in which each file has its own owner.
const maxOwners = 1000

func (o *owners) add(owner stage.Owner, n int64) {
	if !owner.Known {
		o.unknown += n
		return
	}
	if o.known == nil {
		o.known = map[stage.Owner]int64{}
	}
	if _, ok := o.known[owner]; ok || len(o.known) < maxOwners {
		o.known[owner] += n
	}
}

func (o *owners) merge(other *owners) {
	o.unknown += other.unknown
	for owner, n := range other.known {
		o.add(owner, n)
	}
}

// common is whom most entries belong to; the zero value if that is not known of any.
func (o *owners) common() (most stage.Owner) {
	for owner, n := range o.known {
		if c := cmp.Or(cmp.Compare(o.known[most], n), cmp.Compare(owner.UID, most.UID), cmp.Compare(owner.GID, most.GID)); c < 0 {
			most = owner
		}
	}
	return most
}

// runner is the owner of what this process makes.
func runner() stage.Owner {
	return stage.Owner{Known: true, UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
}

// owner is what an entry's owner counts for here.
func (s *Sink) owner(o stage.Owner) stage.Owner {
	if !s.layout.Owners {
		return stage.Owner{}
	}
	return o
}

// ownDir gives an open directory its owner, and looks whether it has it.
func ownDir(dir *os.Root, o stage.Owner) error {
	if err := valid(o); err != nil {
		return err
	}
	if err := dir.Lchown(".", int(o.UID), int(o.GID)); err != nil {
		return notOwned(o, err)
	}
	return belongs(o, func() (fs.FileInfo, error) { return dir.Stat(".") })
}

// ownFile is ownDir of an open file. It takes the setuid and setgid bits away.
func ownFile(f *os.File, o stage.Owner) error {
	if err := valid(o); err != nil {
		return err
	}
	if err := f.Chown(int(o.UID), int(o.GID)); err != nil {
		return notOwned(o, err)
	}
	return belongs(o, f.Stat)
}

// valid refuses what chown(2) takes for "leave it as it is".
func valid(o stage.Owner) error {
	if max(o.UID, o.GID) > stage.MaxID {
		return fmt.Errorf("user %d and group %d can't own anything", o.UID, o.GID)
	}
	return nil
}

// belongs reads an owner back: some file systems set another one without an error.
func belongs(want stage.Owner, look func() (fs.FileInfo, error)) error {
	info, err := look()
	if err != nil {
		return err
	}
	if got := Owner(info); got != want {
		return failure.New(failure.Unproven, "it was given to user %d and group %d and belongs to user %d and group %d; "+
			"restore to a file system that keeps owners, or set owner: user", want.UID, want.GID, got.UID, got.GID)
	}
	return nil
}

// notOwned says what to do where an owner could not be set.
func notOwned(o stage.Owner, err error) error {
	remedy := "set owner: user to restore without owners"
	switch {
	case errors.Is(err, syscall.EINVAL):
		remedy = "a container knows only some users: restore outside of it, or set owner: user"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.ENOSYS):
		remedy = "the target file system does not support owners (network share?): restore to a local disk, or set owner: user"
	}
	return fmt.Errorf("giving it to user %d and group %d: %w; %s", o.UID, o.GID, err, remedy)
}

// mayOwn refuses a process that can't give files to others.
func (s *Sink) mayOwn() error {
	if !s.layout.Owners {
		return nil
	}
	lacks, err := lacksForOwners()
	if err != nil {
		return failure.New(failure.Refused, "owner: keep: asking for the rights of this process: %w", err)
	}
	if lacks == "" {
		return nil
	}
	return failure.New(failure.Refused, "owner: keep gives files to other users; user %d can't do that without %s; run vault as root, or set owner: user", os.Geteuid(), lacks)
}

// ownBase gives the directory itself to whom most entries belong, if it was made by
// this run or is still its maker's: the site could not write in it. Others stay as
// they are.
func (s *Sink) ownBase() error {
	to := s.owner(s.owners.common())
	if !to.Known {
		return nil
	}
	info, err := s.base.Stat(".")
	if err != nil {
		return err
	}
	was := Owner(info)
	if !s.made && was != runner() {
		return nil
	}
	s.was = was
	if err := ownDir(s.base, to); err != nil {
		return fmt.Errorf("%s: %w", s.dir, err)
	}
	return nil
}

// disownBase undoes ownBase.
func (s *Sink) disownBase() error {
	if !s.was.Known {
		return nil
	}
	return ownDir(s.base, s.was)
}

// ownerless notes how many entries belong to who restores because no owner is known.
func (s *Sink) ownerless() []stage.Note {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.layout.Owners || s.owners.unknown == 0 {
		return nil
	}
	return []stage.Note{{Path: s.layout.Part, Text: fmt.Sprintf(
		"owner: keep: the owner of %d files, directories and links is not known; they belong to user %d, who restored them", s.owners.unknown, os.Geteuid())}}
}
