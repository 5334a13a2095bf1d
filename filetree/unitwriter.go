package filetree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/lmsvault/vault/core/stage"
)

// unitWriter writes the entries of one unit. Each file is renamed when its entry
// ends. It is used by one goroutine.
type unitWriter struct {
	sink    *Sink
	folders *folders
	buf     []byte // to read files back
	// The open entry:
	kind  stage.Kind // "" for none
	skip  bool       // it is skipped
	path  string     // below the root
	name  string     // of the entry
	owner stage.Owner
	file  *newFile // of a file

	lost   []stage.Loss // times that the file system cannot store
	named  []string     // paths of finished files and links, for Abort
	files  int64        // finished files
	bytes  int64        // of these
	owners owners       // of the finished entries
}

func newUnitWriter(s *Sink) *unitWriter { return &unitWriter{sink: s, folders: newFolders(s)} }

func (w *unitWriter) Open(ctx context.Context, e stage.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.kind != "" {
		return fmt.Errorf("%s begins before %s has ended", e.Path, w.name)
	}
	if err := w.folders.makeRoom(); err != nil {
		return err
	}
	path, err := Below(w.sink.layout.Part, e.Path)
	if err != nil {
		return fmt.Errorf("refusing an entry: %w", err)
	}
	if Within(path, MarkerName) || Within(path, RestoredName) || Within(path, SwapName) {
		return fmt.Errorf("refusing the entry %s: Vault uses this name", e.Path)
	}
	holds, err := w.sink.holds(path)
	if err != nil {
		return fmt.Errorf("refusing the entry %s: %w", e.Path, err)
	}
	if holds {
		err = w.begin(path, e)
	}
	if err != nil {
		return fmt.Errorf("restoring %s: %w", e.Path, err)
	}
	w.kind, w.skip, w.path, w.name, w.owner = e.Kind, !holds, path, e.Path, e.Owner
	return nil
}

func (w *unitWriter) begin(path string, e stage.Entry) (err error) {
	above, name := split(path)
	switch e.Kind {
	case stage.Dir:
		dir, err := w.folders.dir(path)
		if err == nil {
			err = w.tryTime(dir, e)
		}
		if err != nil {
			return err
		}
		d := dirState{path, e.Mode, e.ModTime, w.sink.owner(e.Owner)}
		if w.sink.layout.Owners && !e.Owner.Known { // it stays as it is
			info, err := dir.Stat(".")
			if err != nil {
				return err
			}
			d.owner = Owner(info)
		}
		w.sink.mu.Lock()
		defer w.sink.mu.Unlock()
		return w.sink.dirs.add(d)
	case stage.File:
		dir, err := w.folders.dir(above)
		if err != nil {
			return err
		}
		w.folders.wrote.files++
		w.file, err = create(dir, w.sink.tempName(), name, e)
		return err
	case stage.Symlink:
		if !w.sink.layout.Links {
			return errors.New("symbolic links are not allowed here, only files")
		}
		dir, err := w.folders.dir(above)
		if err != nil {
			return err
		}
		w.folders.wrote.files++
		if err := dir.Symlink(e.Target, name); err != nil {
			return err
		}
		w.named = append(w.named, path)
		if o := w.sink.owner(e.Owner); o.Known {
			return ownLink(dir, name, o)
		}
		return nil
	}
	return fmt.Errorf("a %s cannot be stored in a directory", e.Kind)
}

// tryTime sets the time of a directory, which is set again at the end, to check
// whether it is kept.
func (w *unitWriter) tryTime(dir *os.Root, e stage.Entry) error {
	if e.ModTime.IsZero() || usual(e.ModTime) {
		return nil
	}
	if err := setTime(dir, ".", e.ModTime); err != nil {
		return err
	}
	lost, err := lostTime(dir, ".", e)
	w.lose(lost)
	return err
}

func (w *unitWriter) lose(l *stage.Loss) {
	if l != nil {
		w.lost = append(w.lost, *l)
	}
}

func (w *unitWriter) Write(ctx context.Context, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.kind != stage.File {
		return errors.New("content without an open file")
	}
	if w.skip {
		return nil
	}
	w.folders.wrote.bytes += int64(len(data))
	if err := w.file.write(data); err != nil {
		return fmt.Errorf("restoring %s: %w", w.name, err)
	}
	return nil
}

func (w *unitWriter) Close(_ context.Context, d stage.Digest) error {
	kind := w.kind
	w.kind = ""
	switch {
	case kind == "":
		return errors.New("Close without an open entry")
	case w.skip:
		return nil
	case kind != stage.File:
		w.owners.add(w.owner, 1)
		return nil
	}
	file := w.file
	w.file = nil
	if w.buf == nil {
		w.buf = make([]byte, 256<<10)
	}
	if err := file.finish(d, w.sink.fileMode(file.entry), w.sink.owner(w.owner), w.sink.layout.Overwrites(w.path), w.buf); err != nil {
		return fmt.Errorf("restoring %s: %w", w.name, err)
	}
	w.lose(file.lost)
	w.named = append(w.named, w.path)
	w.files++
	w.bytes += d.Bytes
	w.owners.add(w.owner, 1)
	return nil
}

func (w *unitWriter) Drop(context.Context) error {
	if w.kind == "" {
		return errors.New("Drop without an open entry")
	}
	w.kind = ""
	return w.dropFile()
}

func (w *unitWriter) dropFile() error {
	if w.file == nil {
		return nil
	}
	file := w.file
	w.file = nil
	return file.discard()
}

// Same is an error: this target has no known content.
func (w *unitWriter) Same(_ context.Context, e stage.Entry) error {
	return fmt.Errorf("%s is reported as unchanged, but this target has no known content", e.Path)
}

func (w *unitWriter) Loss(context.Context, stage.Loss) error { return nil }

func (w *unitWriter) Commit(ctx context.Context) (*stage.Receipt, error) {
	if w.kind != "" {
		return nil, fmt.Errorf("a unit ends before %s has ended", w.name)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := w.folders.commit(); err != nil {
		return nil, err
	}
	w.named = nil
	w.sink.mu.Lock()
	w.sink.owners.merge(&w.owners)
	w.sink.mu.Unlock()
	return &stage.Receipt{Files: w.files, Bytes: w.bytes, Losses: w.lost}, nil
}

// Abort removes the files that the unit has written, so that it can be retried.
// Directories stay.
func (w *unitWriter) Abort(context.Context) error {
	w.kind = ""
	errs := []error{w.dropFile()}
	for _, path := range w.named {
		above, name := split(path)
		dir, err := w.folders.dir(above)
		if err == nil {
			err = dir.Remove(name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("removing %s again: %w", path, err))
		}
		errs = append(errs, w.folders.makeRoom())
	}
	w.named = nil
	return errors.Join(append(errs, w.folders.close())...)
}
