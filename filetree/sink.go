package filetree

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/maintenance"
	"github.com/lmsvault/vault/core/stage"
)

// Keeping says what happens to an existing entry when the target is replaced.
type Keeping int

// Ways to treat an existing entry.
const (
	Remove  Keeping = iota // with everything below it
	Keep                   // with everything below it
	Descend                // ask for each entry in it
)

// Layout describes the differences between sinks of files. Paths are relative to the
// root.
type Layout struct {
	Part string
	// Holds reports whether an entry belongs here: false skips it, an error forbids
	// it.
	Holds func(path string) (bool, error)
	// Keeping is called for existing entries. A target with entries to remove is not
	// empty.
	Keeping func(path string) Keeping
	// Overwrites reports whether an entry may replace a file that was kept.
	Overwrites func(path string) bool
	// Owns reports whether a directory is this part of a site, so that its contents
	// may be replaced; What is what messages call such a directory: "a Moodle data
	// root".
	Owns func(root *os.Root) (bool, error)
	What string
	// Foreign lists what a directory must not be, even if it has a marker of this
	// part.
	Foreign []moodle.Folder
	// Usual reports whether any site has a name in the root; nil: never. Messages
	// list other names first.
	Usual func(name string) bool
	// Pool: files are named by their content, so new ones can stand beside old ones.
	Pool bool
	// Closes: the directory is a data root, whose site Expose closes for visitors.
	Closes bool
	// StaysClosed: it is not opened again when all parts are in place.
	StaysClosed bool
	Marks       bool // mark a finished restore, because Owns may not recognise it
	Links       bool // symbolic links are restored
	// Owners restores the owner of each entry, and with it setuid and setgid bits of
	// files. Directories that no entry describes, such as the pool's, get the most
	// common owner.
	Owners bool
	// Setuid restores the setuid and setgid bits of all files. The restoring user
	// owns the files, so other users could act as the restoring user.
	Setuid bool
}

// Sink writes one part of a site below a directory. Files are written under temporary
// names, read back, and only then renamed; all are durable when Finish returns. Until
// Finish only this user can access directories.
//
// With stage.ReplaceSwap the new tree is created in the directory SwapName and
// exchanged with the old one in Publish. Only during the exchange does the root have
// a marker of incomplete contents, and a journal says how to undo the exchange.
// Otherwise the new tree is created in the root, which has the marker from Begin to
// Publish.
type Sink struct {
	dir      string
	layout   Layout
	temp     string // directory for temporary files
	prefix   string // of temporary names
	next     atomic.Int64
	hardLink func(root *os.Root, from, to string) error
	replace  stage.Replace // as the plan says
	preserve []string

	base   *os.Root    // the directory; nil before Begin
	root   *os.Root    // where the new tree is created: base, or a directory in area
	area   *swapArea   // of a swap; nil before Begin and when it is removed
	ending bool        // Publish may have removed the marker
	left   error       // error of removing the old tree after an exchange
	marker *os.File    // locked while it is open
	mode   uint32      // of directories that no entry describes
	made   bool        // the directory was missing
	ready  *exposure   // set by Expose
	was    stage.Owner // of the directory, before ownBase
	disk   disk

	mu      sync.Mutex
	closing bool // an entry that closes the site was left out
	dirs    *dirSpool
	owners  owners // of the entries in units that are committed
}

// NewSink returns a sink for a directory; it touches nothing before Check and Begin.
func NewSink(dir, tempDir string, layout Layout) (stage.FileSink, error) {
	var raw [8]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return nil, err
	}
	return &Sink{dir: dir, layout: layout, temp: tempDir, prefix: tempPrefix + hex.EncodeToString(raw[:]) + "-", hardLink: (*os.Root).Link}, nil
}

const tempPrefix = ".vault-tmp-"

// Begin creates or opens the directory and cleans up after an earlier restore. It
// creates a place for the new tree beside the old one, or marks the directory and
// removes what is replaced.
func (s *Sink) Begin(ctx context.Context, p *stage.Plan) error {
	if err := s.take(p); err != nil {
		return err
	}
	_, err := os.Lstat(s.dir)
	s.made = errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return fmt.Errorf("creating the directory to restore into: %w", err)
	}
	base, err := os.OpenRoot(s.dir)
	if err != nil {
		return fmt.Errorf("opening the directory to restore into: %w", err)
	}
	s.base = base
	info, err := base.Stat(".")
	if err != nil {
		return err
	}
	s.mode = Mode(info.Mode())
	if err := s.disk.wrote(base); err != nil {
		return err
	}
	if err := s.endEarlier(ctx); err != nil {
		return err
	}
	if _, err := s.check(ctx, base); err != nil { // once more, as things may have changed since Check
		return err
	}
	if s.dirs, err = newDirSpool(s.temp); err != nil {
		return err
	}
	if s.replace == stage.ReplaceSwap {
		return s.beside()
	}
	if err := s.mark(); err != nil {
		return err
	}
	s.root = base
	return s.clear(ctx, base, "")
}

// mark marks the root as incomplete and locks the marker.
func (s *Sink) mark() error {
	if s.marker != nil { // it may no longer be the one in the root
		if err := s.marker.Close(); err != nil {
			return err
		}
		s.marker = nil
	}
	f, err := openMarker(s.base)
	if err != nil {
		return fmt.Errorf("marking %s as incomplete: %w", s.dir, err)
	}
	s.marker = f
	if err := lock(f); err != nil {
		if errors.Is(err, errLocked) {
			return s.busy(err)
		}
		return fmt.Errorf("locking %s: %w", filepath.Join(s.dir, MarkerName), err)
	}
	if err := s.write(markerText); err != nil {
		return fmt.Errorf("marking %s as incomplete: %w", s.dir, err)
	}
	return s.settle()
}

// write writes the marker's text, after the line that names the part.
func (s *Sink) write(text string) error {
	text = partLine + s.layout.Part + "\n" + text
	if _, err := s.marker.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	if err := s.marker.Truncate(int64(len(text))); err != nil {
		return err
	}
	return s.marker.Sync()
}

// settle makes the names in the root durable.
func (s *Sink) settle() error {
	dirs := []*os.Root{s.base}
	if s.area != nil {
		dirs = append(dirs, s.area.dir)
	}
	for _, dir := range dirs {
		if err := syncDir(dir); err != nil {
			return fmt.Errorf("making files durable: %w", err)
		}
	}
	return s.disk.sync()
}

// WriteFiles starts a unit.
func (s *Sink) WriteFiles(ctx context.Context, u stage.Unit) (stage.FileUnit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.root == nil {
		return nil, fmt.Errorf("unit %s comes before Begin", u.ID)
	}
	return newUnitWriter(s), nil
}

// Finish sets the owners, modes and times of the directories.
func (s *Sink) Finish(ctx context.Context, _ *stage.Outcome) error {
	if s.root == nil {
		return errors.New("Finish without Begin")
	}
	if s.area != nil {
		if err := s.shelter(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.dirs.apply(ctx, s.root, s.owner(s.owners.common())); err != nil {
		return err
	}
	if s.area != nil {
		if _, err := s.plan(); err != nil { // detect obstacles before the exchange begins
			return err
		}
	}
	return s.settle()
}

// Prove has nothing to do: every file was read back before it was renamed, and every
// owner was verified when it was set.
func (s *Sink) Prove(context.Context) ([]stage.TableProof, error) { return nil, nil }

// Publish exchanges the trees, or removes the marker.
func (s *Sink) Publish(ctx context.Context) error {
	if s.root == nil {
		return errors.New("Publish without Begin")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.disk.commit(written{}); err != nil { // after a failed sync the marker stays
		return err
	}
	if s.area == nil {
		if err := s.ownBase(); err != nil {
			return err
		}
		s.ending = true
		if err := s.unmark(); err != nil {
			return fmt.Errorf("unmarking %s: %w", s.dir, err)
		}
		return s.settle()
	}
	publish := s.swap
	if s.ready != nil && s.ready.Linked {
		publish = s.replacePool
	}
	if err := publish(ctx); err != nil {
		return err
	}
	// The new tree is published, so this is not an error of Publish.
	if err := s.area.remove(context.WithoutCancel(ctx)); err != nil {
		s.left = err
	}
	s.area = nil
	return nil
}

// Notes reports what remains of the old tree, and how many entries have an unknown
// owner.
func (s *Sink) Notes(context.Context) (notes []stage.Note, _ error) {
	if s.left != nil {
		notes = append(notes, stage.Note{Path: s.layout.Part, Text: fmt.Sprintf("%s: the old files beside the new ones could not all be removed; the next restore tries again: %v", s.dir, s.left)})
	}
	s.mu.Lock()
	closing := s.closing
	s.mu.Unlock()
	if closing {
		notes = append(notes, stage.Note{Path: s.layout.Part + "/" + maintenance.FileName, Text: "not restored: it would close the site for visitors"})
	}
	return append(notes, s.ownerless()...), nil
}

func (s *Sink) unmark() error {
	var err error
	if !s.layout.Marks {
		err = s.base.Remove(MarkerName)
	} else if err = s.write(restoredText); err == nil {
		err = s.base.Rename(MarkerName, RestoredName)
	}
	if err != nil || s.marker == nil {
		return err
	}
	err = s.marker.Close()
	s.marker = nil
	return err
}

// Abort removes what was created beside the old tree, after putting that back if
// necessary, and restores the directory's owner. Without an old tree it leaves the
// marker, which tells sources and sinks that the directory is incomplete.
func (s *Sink) Abort(ctx context.Context) error {
	disowned := s.disownBase()
	switch {
	case s.area != nil:
		if err := s.putBack(ctx); err != nil {
			return errors.Join(disowned, err)
		}
		area := s.area
		s.area = nil
		return errors.Join(disowned, area.remove(ctx), s.reopen())
	case s.ending:
		return errors.Join(disowned, s.mark())
	}
	return disowned
}

// Close releases what the sink holds.
func (s *Sink) Close(context.Context) error {
	var errs []error
	if s.marker != nil {
		errs = append(errs, s.marker.Close())
	}
	if s.dirs != nil {
		errs = append(errs, s.dirs.close())
	}
	errs = append(errs, s.disk.close())
	if s.area != nil {
		errs = append(errs, s.area.close())
	}
	if s.root != nil && s.root != s.base {
		errs = append(errs, s.root.Close())
	}
	if s.base != nil {
		errs = append(errs, s.base.Close())
	}
	s.ready, s.closing = nil, false
	s.marker, s.dirs, s.root, s.base, s.area, s.ending, s.left = nil, nil, nil, nil, nil, false, nil
	s.was, s.owners = stage.Owner{}, owners{}
	return errors.Join(errs...)
}

// fileMode returns the mode that a file gets.
func (s *Sink) fileMode(e stage.Entry) uint32 {
	if s.layout.Setuid || s.owner(e.Owner).Known {
		return e.Mode
	}
	return e.Mode &^ 0o6000
}

func (s *Sink) tempName() string { return fmt.Sprintf("%s%d", s.prefix, s.next.Add(1)) }
