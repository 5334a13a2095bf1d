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
	"github.com/lmsvault/vault/core/stage"
)

// Keeping says what becomes of a thing that is in the target already when the
// target is replaced.
type Keeping int

// The ways to treat what is there.
const (
	Remove  Keeping = iota // with all below it
	Keep                   // with all below it
	Descend                // ask for each thing in it
)

// Layout is what sinks of files differ in. Paths are relative to the root.
type Layout struct {
	Part string
	// Holds tells whether an entry belongs here: false leaves it out, an error forbids it.
	Holds func(path string) (bool, error)
	// Keeping is asked for what is in the target. A target in which something is
	// to be removed is not empty.
	Keeping func(path string) Keeping
	// Overwrites tells whether an entry may take the place of a file that was kept.
	Overwrites func(path string) bool
	// Owns tells whether a directory is one of a site's, of this part, so that what
	// is in it may be replaced; what calls such a directory in messages: "a Moodle data root".
	Owns func(root *os.Root) (bool, error)
	What string
	// Foreign lists what a directory must not be, even if a mark of this part is in it.
	Foreign []moodle.Folder
	// Usual tells of a name in the root that any site has it; nil: of none. What is
	// to be removed is named from the others on.
	Usual func(name string) bool
	Marks bool // what was restored is marked as such, because Owns may not know it again
	Links bool // symbolic links are restored
	// Owners gives each entry the owner that it had, and files with one their setuid
	// and setgid bits. Directories that no entry describes, the pool's, get the owner
	// that most entries have.
	Owners bool
	// Setuid restores the setuid and setgid bits of all files. Who restores owns the
	// file, so that another user could become who restores.
	Setuid bool
}

// Sink writes one part of a site below a directory. Files are written under
// temporary names, read back, and only then renamed; all are durable when Finish
// returns. Until Finish only this user can look into directories.
//
// With stage.ReplaceSwap the new tree is made in the directory SwapName and
// exchanged with the old one in Publish; only then a marker in the root tells that
// what is there is incomplete, and a journal how to undo the exchange. Otherwise the
// new tree is made in the root, which bears the marker from Begin to Publish.
type Sink struct {
	dir      string
	layout   Layout
	temp     string // where to keep what Finish needs
	prefix   string // of temporary names
	next     atomic.Int64
	replace  stage.Replace // as the plan says
	preserve []string

	base   *os.Root    // the directory; nil before Begin
	root   *os.Root    // where the new tree is made: base, or a directory in area
	area   *swapArea   // of a swap; nil before Begin and when it is removed
	ending bool        // Publish may have taken the mark away
	left   error       // what could not be removed of the old tree after an exchange
	marker *os.File    // locked while it is open
	mode   uint32      // of directories that no entry describes
	made   bool        // the directory was missing
	was    stage.Owner // of the directory, before ownBase
	disk   disk

	mu     sync.Mutex
	dirs   *dirSpool
	owners owners // of the entries in units that are committed
}

// NewSink makes a sink of a directory; nothing is touched before Check and Begin.
func NewSink(dir, tempDir string, layout Layout) (stage.FileSink, error) {
	var raw [8]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return nil, err
	}
	return &Sink{dir: dir, layout: layout, temp: tempDir, prefix: tempPrefix + hex.EncodeToString(raw[:]) + "-"}, nil
}

const tempPrefix = ".vault-tmp-"

// Begin makes or opens the directory and ends what an earlier restore left in it.
// It makes a place for the new tree beside the old one, or marks the directory
// and removes what is to be replaced.
func (s *Sink) Begin(ctx context.Context, p *stage.Plan) error {
	if err := s.take(p); err != nil {
		return err
	}
	_, err := os.Lstat(s.dir)
	s.made = errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return fmt.Errorf("making the directory to restore into: %w", err)
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
	if _, err := s.check(ctx, base); err != nil { // again: much can happen since Check
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

// mark marks the root as incomplete, and locks the mark.
func (s *Sink) mark() error {
	if s.marker != nil { // perhaps it is no longer the one in the root
		if err := s.marker.Close(); err != nil {
			return err
		}
		s.marker = nil
	}
	f, err := openMarker(s.base)
	if err != nil {
		return fmt.Errorf("marking %s as not whole: %w", s.dir, err)
	}
	s.marker = f
	if err := lock(f); err != nil {
		if errors.Is(err, errLocked) {
			return s.busy(err)
		}
		return fmt.Errorf("locking %s: %w", filepath.Join(s.dir, MarkerName), err)
	}
	if err := s.write(markerText); err != nil {
		return fmt.Errorf("marking %s as not whole: %w", s.dir, err)
	}
	return s.settle()
}

// write gives the marker its text, after the line that names the part.
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

// Finish gives the directories their owners, modes and times.
func (s *Sink) Finish(ctx context.Context, _ *stage.Outcome) error {
	if s.root == nil {
		return errors.New("finish comes before begin")
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
		if _, err := s.plan(); err != nil { // what forbids the exchange shows before it begins
			return err
		}
	}
	return s.settle()
}

// Prove has nothing to add: every file was read back before it got its name, and every
// owner when it was set.
func (s *Sink) Prove(context.Context) ([]stage.TableProof, error) { return nil, nil }

// Publish exchanges the trees, or takes the mark away.
func (s *Sink) Publish(ctx context.Context) error {
	if s.root == nil {
		return errors.New("publish comes before begin")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.disk.commit(written{}); err != nil { // of a sync that failed: the mark stays
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
	if err := s.swap(ctx); err != nil {
		return err
	}
	// The new tree counts, so that this is no error of Publish's.
	if err := s.area.remove(context.WithoutCancel(ctx)); err != nil {
		s.left = err
	}
	s.area = nil
	return nil
}

// Notes says what is left of the old tree, and how many entries got no owner.
func (s *Sink) Notes(context.Context) (notes []stage.Note, _ error) {
	if s.left != nil {
		notes = append(notes, stage.Note{Path: s.layout.Part, Text: fmt.Sprintf("%s: the old files beside the new ones could not all be removed, the next restore tries again: %v", s.dir, s.left)})
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

// Abort removes what was made beside the old tree, after it has put that back if
// need be, and gives the directory its former owner. Without an old tree it leaves the mark, by which sources and sinks know
// that the directory is incomplete.
func (s *Sink) Abort(ctx context.Context) error {
	disowned := s.disownBase()
	switch {
	case s.area != nil:
		if err := s.putBack(); err != nil {
			return errors.Join(disowned, err)
		}
		area := s.area
		s.area = nil
		return errors.Join(disowned, area.remove(ctx))
	case s.ending:
		return errors.Join(disowned, s.mark())
	}
	return disowned
}

// Close frees what the sink holds.
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
	s.marker, s.dirs, s.root, s.base, s.area, s.ending, s.left = nil, nil, nil, nil, nil, false, nil
	s.was, s.owners = stage.Owner{}, owners{}
	return errors.Join(errs...)
}

// fileMode is the mode that a file gets.
func (s *Sink) fileMode(e stage.Entry) uint32 {
	if s.layout.Setuid || s.owner(e.Owner).Known {
		return e.Mode
	}
	return e.Mode &^ 0o6000
}

func (s *Sink) tempName() string { return fmt.Sprintf("%s%d", s.prefix, s.next.Add(1)) }
