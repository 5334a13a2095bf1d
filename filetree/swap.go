package filetree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/lmsvault/vault/core/failure"
)

// SwapName is the directory in the root in which a sink makes the new tree beside
// the old one. Publish exchanges the two entry by entry, and never renames the root
// itself: it may be a mount point, be mounted into a container, or lie in a
// directory that this user can't write.
const SwapName = ".vault-swap"

// What is in the directory SwapName.
const (
	newName     = "new"         // the new tree, until it is exchanged
	oldName     = "old"         // what was taken out of the root, by number
	journalName = "journal"     // how to undo an exchange that is not complete
	doneName    = "done"        // the journal of one that is complete
	partialName = "journal.tmp" // a journal that is not written to its end
	lockName    = "lock"        // locked by the restore that uses the directory
)

// swapArea is the open directory SwapName of a target. Its lock is held until
// close. Not safe for concurrent use.
type swapArea struct {
	base *os.Root // the target, which is not the area's to close
	dir  *os.Root
	lock *os.File
}

// makeArea makes the directory. errLocked: another restore has just made it.
func makeArea(base *os.Root, part string) (*swapArea, error) {
	err := base.Mkdir(SwapName, closed)
	if errors.Is(err, fs.ErrExist) {
		return nil, errLocked
	}
	if err != nil {
		return nil, err
	}
	a, err := openArea(base, part)
	if err != nil {
		return nil, err
	}
	_, err = a.lock.WriteAt([]byte(partLine+part+"\n"), 0)
	for _, name := range []string{newName, oldName} {
		if err == nil {
			err = a.dir.Mkdir(name, closed)
		}
	}
	if err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

// openArea opens and locks the directory of an earlier restore; nil if there is none.
// errLocked: its restore is still running.
func openArea(base *os.Root, part string) (_ *swapArea, err error) {
	dir, err := lookAtArea(base, part)
	if dir == nil || err != nil {
		return nil, err
	}
	a := &swapArea{base: base, dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	if a.lock, err = dir.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	if err := lock(a.lock); err != nil {
		return nil, err
	}
	locked, err := a.lock.Stat()
	if err != nil {
		return nil, err
	}
	if there, err := base.Lstat(SwapName + "/" + lockName); err != nil || !os.SameFile(there, locked) {
		return nil, errLocked // its restore has just ended and removed it
	}
	return a, nil
}

// lookAtArea opens the directory SwapName; nil if there is none. One that holds what
// Vault doesn't make, or belongs to a restore of another part, is refused. It
// changes nothing.
func lookAtArea(base *os.Root, part string) (_ *os.Root, err error) {
	dir, err := OpenDir(base, SwapName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, ErrNotDir):
		return nil, failure.New(failure.Refused, "%s is not a directory; remove it", SwapName)
	case err != nil:
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, dir.Close())
		}
	}()
	for name, err := range Names(dir) {
		if err != nil {
			return nil, err
		}
		switch name {
		case newName, oldName, journalName, doneName, partialName, lockName:
		default:
			return nil, failure.New(failure.Refused, "%s holds %q, which Vault does not make there; move it away", SwapName, name)
		}
	}
	other, _, err := markedAs(dir, lockName)
	if err == nil && other != "" && other != part {
		err = failure.New(failure.Refused, "%s belongs to a restore of the part %q, not of %q; check dir", SwapName, other, part)
	}
	return dir, err
}

func (a *swapArea) has(name string) (bool, error) {
	_, err := a.dir.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// remove removes the directory and closes it. What tells that an exchange was
// complete goes after what it was exchanged for.
func (a *swapArea) remove(ctx context.Context) error {
	for _, name := range []string{oldName, newName, partialName, journalName, doneName, lockName} {
		if err := removeTree(ctx, a.dir, name); err != nil {
			return errors.Join(fmt.Errorf("removing %s/%s: %w", SwapName, name, err), a.close())
		}
	}
	err := a.base.Remove(SwapName)
	return errors.Join(err, a.close())
}

// emptied refuses to go on while something of the old tree is still here.
func (a *swapArea) emptied() error {
	old, err := OpenDir(a.dir, oldName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for name, err := range Names(old) {
		if err == nil {
			err = fmt.Errorf("%s/%s/%s could not be put back", SwapName, oldName, name)
		}
		return errors.Join(err, old.Close())
	}
	return old.Close()
}

// close may be called again.
func (a *swapArea) close() error {
	err := a.dir.Close()
	if a.lock != nil {
		err = errors.Join(err, a.lock.Close())
		a.lock = nil
	}
	return err
}
