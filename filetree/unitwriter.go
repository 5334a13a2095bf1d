package filetree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/lmsvault/vault/core/stage"
)

// unitWriter writes the entries of one unit. One goroutine.
type unitWriter struct {
	sink  *Sink
	batch *batch
	// The entry that is open:
	kind stage.Kind // "" for none
	skip bool       // it is left out
	path string
	file *pending // of a file
}

func newUnitWriter(s *Sink) *unitWriter { return &unitWriter{sink: s, batch: newBatch(s)} }

func (w *unitWriter) Open(ctx context.Context, e stage.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.kind != "" {
		return fmt.Errorf("%s begins before %s has ended", e.Path, w.path)
	}
	if err := w.batch.makeRoom(ctx); err != nil {
		return err
	}
	path, err := Below(w.sink.layout.Part, e.Path)
	if err != nil {
		return fmt.Errorf("refusing an entry: %w", err)
	}
	if Within(path, MarkerName) {
		return fmt.Errorf("refusing the entry %s: its name is Vault's own", e.Path)
	}
	holds, err := w.sink.layout.Holds(path)
	if err != nil {
		return fmt.Errorf("refusing the entry %s: %w", e.Path, err)
	}
	if holds {
		err = w.begin(path, e)
	}
	if err != nil {
		return fmt.Errorf("restoring %s: %w", e.Path, err)
	}
	w.kind, w.skip, w.path = e.Kind, !holds, e.Path
	return nil
}

func (w *unitWriter) begin(path string, e stage.Entry) (err error) {
	switch e.Kind {
	case stage.File:
		w.file, err = w.batch.create(path, e)
		return err
	case stage.Symlink:
		return w.batch.symlink(path, e.Target)
	case stage.Dir:
		if _, err := w.batch.dir(path); err != nil {
			return err
		}
		w.sink.mu.Lock()
		defer w.sink.mu.Unlock()
		return w.sink.dirs.add(path, e)
	}
	return fmt.Errorf("a %s can't be kept in a directory", e.Kind)
}

func (w *unitWriter) Write(ctx context.Context, c stage.Chunk) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.kind != stage.File {
		return errors.New("content comes while no file is open")
	}
	if w.skip {
		return nil
	}
	n, err := w.file.f.Write(c.Data)
	w.file.size += int64(n)
	if err != nil {
		return fmt.Errorf("restoring %s: %w", w.path, err)
	}
	return nil
}

func (w *unitWriter) Close(_ context.Context, d stage.Digest) error {
	kind, path := w.kind, w.path
	w.kind = ""
	switch {
	case kind == "":
		return errors.New("an entry ends that has not begun")
	case w.skip || kind != stage.File:
		return nil
	}
	file := w.file
	w.file = nil
	if err := w.batch.add(file, d); err != nil {
		return fmt.Errorf("restoring %s: %w", path, err)
	}
	return nil
}

func (w *unitWriter) Drop(context.Context) error {
	if w.kind == "" {
		return errors.New("an entry is dropped that has not begun")
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

// Same can't come: nothing is known of this target.
func (w *unitWriter) Same(_ context.Context, e stage.Entry) error {
	return fmt.Errorf("%s is said to be in the target already, which nobody can know", e.Path)
}

func (w *unitWriter) Loss(context.Context, stage.Loss) error { return nil }

func (w *unitWriter) Commit(ctx context.Context) error {
	if w.kind != "" {
		return fmt.Errorf("a unit ends before %s has ended", w.path)
	}
	return w.batch.commit(ctx)
}

func (w *unitWriter) Refused() []stage.Loss { return nil }

func (w *unitWriter) Abort(context.Context) error {
	w.kind = ""
	return errors.Join(w.dropFile(), w.batch.discard())
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
	return errOccupied
}
