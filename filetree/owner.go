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

// KeepOwner is the value of the setting owner that restores the owners of entries;
// with any other, entries belong to the restoring user.
const KeepOwner = "keep"

// owners counts the owners of entries.
type owners struct {
	known   map[stage.Owner]int64
	unknown int64
}

// maxOwners bounds memory for a snapshot in which each file has its own owner.
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

// common returns the most common owner, or the zero value if none is known.
func (o *owners) common() (most stage.Owner) {
	for owner, n := range o.known {
		if c := cmp.Or(cmp.Compare(o.known[most], n), cmp.Compare(owner.UID, most.UID), cmp.Compare(owner.GID, most.GID)); c < 0 {
			most = owner
		}
	}
	return most
}

// runner returns the owner of files created by this process.
func runner() stage.Owner {
	return stage.Owner{Known: true, UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
}

// owner returns the owner that an entry gets here.
func (s *Sink) owner(o stage.Owner) stage.Owner {
	if !s.layout.Owners {
		return stage.Owner{}
	}
	return o
}

// ownDir sets the owner of an open directory and verifies it.
func ownDir(dir *os.Root, o stage.Owner) error {
	if err := valid(o); err != nil {
		return err
	}
	if err := dir.Lchown(".", int(o.UID), int(o.GID)); err != nil {
		return notOwned(o, err)
	}
	return belongs(o, func() (fs.FileInfo, error) { return dir.Stat(".") })
}

// ownFile sets the owner of an open file and verifies it. It clears the setuid and
// setgid bits.
func ownFile(f *os.File, o stage.Owner) error {
	if err := valid(o); err != nil {
		return err
	}
	if err := f.Chown(int(o.UID), int(o.GID)); err != nil {
		return notOwned(o, err)
	}
	return belongs(o, f.Stat)
}

// valid rejects IDs that chown(2) interprets as "unchanged".
func valid(o stage.Owner) error {
	if max(o.UID, o.GID) > stage.MaxID {
		return fmt.Errorf("user %d and group %d cannot own files", o.UID, o.GID)
	}
	return nil
}

// belongs verifies an owner: some file systems set another one without an error.
func belongs(want stage.Owner, look func() (fs.FileInfo, error)) error {
	info, err := look()
	if err != nil {
		return err
	}
	if got := Owner(info); got != want {
		return failure.New(failure.Unproven, "its owner was set to user %d and group %d, but is user %d and group %d; "+
			"restore to a file system that keeps owners, or set owner: user", want.UID, want.GID, got.UID, got.GID)
	}
	return nil
}

// notOwned adds a remedy to an error of setting an owner.
func notOwned(o stage.Owner, err error) error {
	remedy := "set owner: user to restore without owners"
	switch {
	case errors.Is(err, syscall.EINVAL):
		remedy = "a container has only some users; restore outside of it, or set owner: user"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.ENOSYS):
		remedy = "the target file system does not support owners (network share?); restore to a local disk, or set owner: user"
	}
	return fmt.Errorf("setting the owner to user %d and group %d: %w; %s", o.UID, o.GID, err, remedy)
}

// mayOwn returns an error if this process may not change owners.
func (s *Sink) mayOwn() error {
	if !s.layout.Owners {
		return nil
	}
	lacks, err := lacksForOwners()
	if err != nil {
		return failure.New(failure.Refused, "owner: keep: reading the capabilities of this process: %w", err)
	}
	if lacks == "" {
		return nil
	}
	return failure.New(failure.Refused, "owner: keep changes the owners of files, which user %d cannot do without %s; run vault as root, or set owner: user", os.Geteuid(), lacks)
}

// ownBase gives the directory itself the most common owner, if this run created it or
// it still belongs to its creator: otherwise the site could not write to it. Other
// owners stay.
func (s *Sink) ownBase() error {
	to, was, err := s.baseOwner()
	if err != nil || !to.Known {
		return err
	}
	s.was = was
	if err := ownDir(s.base, to); err != nil {
		return fmt.Errorf("%s: %w", s.dir, err)
	}
	return nil
}

// baseOwner returns the owner that the directory itself gets, unknown for none, and the one
// that it has.
func (s *Sink) baseOwner() (to, was stage.Owner, err error) {
	info, err := s.base.Stat(".")
	if err != nil {
		return to, was, err
	}
	was = Owner(info)
	if s.ready != nil {
		return s.ready.Owner, was, nil
	}
	if s.made || was == runner() {
		to = s.owner(s.owners.common())
	}
	return to, was, nil
}

// disownBase undoes ownBase.
func (s *Sink) disownBase() error {
	if !s.was.Known {
		return nil
	}
	return ownDir(s.base, s.was)
}

// ownerless notes how many entries belong to the restoring user because their owner
// is unknown.
func (s *Sink) ownerless() []stage.Note {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.layout.Owners || s.owners.unknown == 0 {
		return nil
	}
	return []stage.Note{{Path: s.layout.Part, Text: fmt.Sprintf(
		"owner: keep: the owner of %d files, directories and links is not known; they belong to user %d, who restored them", s.owners.unknown, os.Geteuid())}}
}
