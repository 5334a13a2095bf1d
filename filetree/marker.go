package filetree

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
)

// MarkerName is the file in a sink's root that marks its contents as incomplete.
const MarkerName = ".vault-restoring"

// RestoredName is the file left in the root of a finished restore if its contents
// would not show a later restore that it may replace them.
const RestoredName = ".vault-restored"

// The first line of a marker names the part that was restored. It is the same in both
// markers, so a crash during the change from one to the other does not lose it.
const partLine = "part: "

const restoredText = "Vault restored this part into this directory. A restore of it with replace: true may remove what is in it.\n"

const markerText = "Vault is restoring this part into this directory, or did not finish: its contents are incomplete.\n" +
	"Run the restore again with replace: true.\n"

// markedAs returns the part named by a marker in the root; found is false if there is
// no such marker, and part is "" for one that names none.
func markedAs(root *os.Root, mark string) (part string, found bool, err error) {
	info, err := root.Lstat(mark)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	f, err := root.Open(mark)
	if err != nil {
		return "", false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	const enough = 256 // bytes for the first line
	text, err := io.ReadAll(io.LimitReader(f, enough))
	if err != nil {
		return "", false, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if name, ok := strings.CutPrefix(line, partLine); ok {
		part = strings.TrimSpace(name)
	}
	return part, true, nil
}

// openMarker creates the marker or opens an existing one. It does not follow a link
// with its name.
func openMarker(root *os.Root) (*os.File, error) {
	f, err := root.OpenFile(MarkerName, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if !errors.Is(err, fs.ErrExist) {
		return f, err
	}
	before, err := root.Lstat(MarkerName)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file; remove it", MarkerName)
	}
	if f, err = root.OpenFile(MarkerName, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err == nil && !os.SameFile(before, after) {
		err = fmt.Errorf("%s was replaced while it was opened", MarkerName)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Unfinished reports whether a restore into a directory is incomplete: it has a marker that
// says so, or a new tree that is ready to take the place of the old one.
func Unfinished(root *os.Root) (bool, error) {
	for _, name := range []string{MarkerName, SwapName + "/" + readyName} {
		there, err := exists(root, name)
		if there || err != nil {
			return there, err
		}
	}
	return false, nil
}

// onlyFiles refuses markers that are not files: a restore could neither write nor
// remove them.
func (s *Sink) onlyFiles(root *os.Root) error {
	for _, mark := range []string{MarkerName, RestoredName} {
		info, err := root.Lstat(mark)
		if err == nil && !info.Mode().IsRegular() {
			return failure.New(failure.Refused, "%s: %s is not a file; remove it", s.dir, mark)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return failure.New(failure.Refused, "checking for markers of an earlier restore in %s: %w", s.dir, err)
		}
	}
	return nil
}

// free returns errLocked while a restore in place holds the marker's lock.
func free(root *os.Root) error { return unlocked(root, MarkerName) }

// unlocked returns errLocked if another process has locked a file, which may be missing.
func unlocked(root *os.Root, name string) error {
	f, err := root.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(lock(f), f.Close())
}

// Recognise guesses the kind of a source's directory.
func Recognise(root *os.Root) (moodle.Folder, error) {
	var failed error
	folder := moodle.Recognise(func(yield func(string) bool) {
		for name, err := range Names(root) {
			if failed = err; err != nil || !yield(name) {
				return
			}
		}
	})
	return folder, failed
}

// OpenSource opens the root directory of a site's files. It refuses an unfinished
// restore.
func OpenSource(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, failure.New(failure.Refused, "opening the directory to read: %w", err)
	}
	_, err = root.Lstat(MarkerName)
	if errors.Is(err, fs.ErrNotExist) {
		return root, nil
	}
	if err == nil {
		err = errors.New("it holds a restore that did not finish (" + MarkerName + "); restore it again, or remove that file if you know that it is complete")
	}
	return nil, errors.Join(failure.New(failure.Refused, "reading %s: %w", dir, err), root.Close())
}
