package lockfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/lmsvault/vault/core/failure"
)

// maxProgram is the maximum size of a program; anything larger was named by mistake.
const maxProgram = 1 << 30

// interruptible is a file that can be read until the context ends.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}

// copy copies a program to a temporary executable file.
func (f *File) copy(ctx context.Context, root *os.Root, file string) (temp, digest string, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", "", failure.New(failure.Usage, "reading the plugin file: %w", err)
	}
	switch {
	case info.IsDir():
		return "", "", failure.New(failure.Usage, "%s is a directory; name the executable file in it", file)
	case !info.Mode().IsRegular():
		return "", "", failure.New(failure.Usage, "%s is not a regular file", file)
	case info.Mode()&0o111 == 0:
		return "", "", failure.New(failure.Refused, "%s is not executable (mode %04o); if it is the plugin's program, run chmod +x %s", file, info.Mode().Perm(), quoted(file))
	case info.Size() > maxProgram:
		return "", "", tooLarge(file)
	}
	if err := f.makeFolder(root); err != nil {
		return "", "", err
	}
	in, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", "", failure.New(failure.Usage, "reading the plugin file: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, temp, err := create(root, Folder)
	if err != nil {
		return "", "", err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), interruptible{ctx, io.LimitReader(in, maxProgram+1)})
	if err == nil && n > maxProgram {
		err = tooLarge(file)
	}
	if err == nil {
		err = finish(out, 0o755)
	} else {
		err = errors.Join(err, out.Close())
	}
	if err != nil {
		return "", "", fmt.Errorf("copying %s: %w", file, errors.Join(err, gone(root.Remove(temp))))
	}
	return temp, hex.EncodeToString(h.Sum(nil)), nil
}

func tooLarge(file string) error {
	return failure.New(failure.Usage, "%s is larger than 1 GiB; name the program itself", file)
}

// makeFolder makes the plugin directory if necessary, and checks that no other user may
// write to it.
func (f *File) makeFolder(root *os.Root) error {
	err := root.Mkdir(Folder, 0o755)
	if err == nil {
		return syncFolder(root, ".")
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the plugin directory: %w", unwritable(err, root.Name()))
	}
	return failure.Wrap(failure.Refused, f.folder(root, Folder))
}

// place moves a finished file to its pinned path. It replaces anything except a directory.
func (f *File) place(root *os.Root, temp, name string) error {
	err := root.Rename(temp, name)
	if err == nil {
		err = syncFolder(root, Folder)
	}
	if err != nil {
		return fmt.Errorf("moving the plugin file into place: %w", err)
	}
	return nil
}

// discard removes files that the lock file no longer pins. Files outside the plugin
// directory were not created by Install and are kept.
func (f *File) discard(root *os.Root, p *Plugin) error {
	var errs []error
	for _, pin := range p.Pins {
		info, err := root.Lstat(pin.Path)
		if f.pins(pin.Path) || !strings.HasPrefix(pin.Path, Folder+"/") || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && !info.IsDir() {
			err = gone(root.Remove(pin.Path))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("the old plugin file is no longer used but could not be removed: %w", err))
		}
	}
	return errors.Join(errs...)
}
