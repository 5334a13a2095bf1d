package filetree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/lmsvault/vault/core/failure"
)

// SwapName is the directory in the root in which a sink creates the new tree beside
// the old one. Publish exchanges the two entry by entry and never renames the root
// itself: it may be a mount point, be mounted into a container, or be in a directory
// that this user cannot write.
const SwapName = ".vault-swap"

// Contents of the directory SwapName.
const (
	newName     = "new"         // the new tree, until it is exchanged
	oldName     = "old"         // entries moved out of the root, by number
	journalName = "journal"     // how to undo an incomplete exchange
	doneName    = "done"        // the journal of a complete exchange, or says that the new pool is in place
	readyName   = "ready"       // describes a new tree that is exposed
	madeName    = "made"        // directories that were added to the old pool, one quoted path per line
	partialName = "journal.tmp" // a journal being written
	lockName    = "lock"        // locked by the restore that uses the directory
)

// swapArea is the open directory SwapName of a target. It holds its lock until close.
// It is not safe for concurrent use.
type swapArea struct {
	base *os.Root // the target, not closed by the area
	dir  *os.Root
	lock *os.File
}

// makeArea creates the directory. It returns errLocked if another restore has just
// created it.
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
// It returns errLocked if that restore is still running.
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

// lookAtArea opens the directory SwapName; nil if there is none. It refuses a
// directory with unknown contents or of another part's restore. It changes nothing.
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
		case newName, oldName, journalName, doneName, readyName, madeName, partialName, lockName:
		default:
			return nil, failure.New(failure.Refused, "%s contains %q, which Vault did not create; move it away", SwapName, name)
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

// remove removes the directory and closes it. The record that an exchange was
// complete is removed after the old tree.
func (a *swapArea) remove(ctx context.Context) error {
	for _, name := range []string{oldName, newName, madeName, partialName, journalName, readyName, doneName, lockName} {
		if err := removeTree(ctx, a.dir, name); err != nil {
			return errors.Join(fmt.Errorf("removing %s/%s: %w", SwapName, name, err), a.close())
		}
	}
	err := a.base.Remove(SwapName)
	return errors.Join(err, a.close())
}

// emptied returns an error while part of the old tree is still here.
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

// close may be called repeatedly.
func (a *swapArea) close() error {
	err := a.dir.Close()
	if a.lock != nil {
		err = errors.Join(err, a.lock.Close())
		a.lock = nil
	}
	return err
}
