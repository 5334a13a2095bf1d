package lockfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/host"
)

// Options are the options of Install.
type Options struct {
	SHA256  string          // required SHA-256 of the file, in hex; "" for any
	Replace bool            // permit a lower version, or another file of the same version
	BuiltIn *stage.Registry // stages whose names are taken
	// Describe is Describe of host.Host. It is called after all checks that are possible
	// without running the program.
	Describe func(ctx context.Context, p host.Program) (*host.Description, error)
	Now      time.Time
}

// Installed is the result of Install.
type Installed struct {
	Plugin *Plugin
	Pin    Pin
	Before string // version installed before; "" for none
	// Same says that exactly this was pinned before.
	Same bool
	// Dropped lists platforms that are no longer pinned because their files were of another
	// version or had other stages.
	Dropped []string
}

// Install copies an executable file to the plugin directory of dir, reads the description
// of the copy, and pins it for this platform in the lock file. Concurrent installs do not
// lose entries. After an error the lock file pins nothing that it did not pin before.
func Install(ctx context.Context, dir, file string, o Options) (*Installed, error) {
	o.SHA256 = strings.ToLower(o.SHA256)
	if o.SHA256 != "" && !goodDigest.MatchString(o.SHA256) {
		return nil, failure.New(failure.Usage, "%q is not a SHA-256; it must have 64 hexadecimal digits (0-9, a-f)", o.SHA256)
	}
	var out *Installed
	err := update(ctx, dir, func(root *os.Root, f *File) (err error) {
		_, missing := root.Lstat(Folder)
		defer func() {
			if err != nil && errors.Is(missing, fs.ErrNotExist) {
				err = errors.Join(err, empty(root.Remove(Folder)))
			}
		}()
		temp, digest, err := f.copy(ctx, root, file)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, gone(root.Remove(temp))) }()
		if o.SHA256 != "" && digest != o.SHA256 {
			return failure.New(failure.Refused, "%s was neither run nor installed: its SHA-256 is %s, not %s as given by --sha256; download the file again from its author", file, digest, o.SHA256)
		}
		who, err := o.ask(ctx, root, file, temp, digest)
		if err != nil {
			return err
		}
		if err := f.free(who, o.BuiltIn); err != nil {
			return failure.New(failure.Refused, "%s is not installed: %w", file, err)
		}
		before, _ := f.Plugin(who.name)
		if out, err = f.add(who, digest, o); err != nil {
			return failure.New(failure.Refused, "%s is not installed: %w", file, err)
		}
		return f.put(root, temp, out.Pin, before)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ask reads the description of the copy.
func (o Options) ask(ctx context.Context, root *os.Root, file, temp, digest string) (identity, error) {
	program, err := filepath.Abs(filepath.Join(root.Name(), filepath.FromSlash(temp)))
	if err != nil {
		return identity{}, err
	}
	d, err := o.Describe(ctx, host.Program{Name: filepath.Base(file), Path: program, SHA256: digest})
	if err != nil {
		return identity{}, fmt.Errorf("%s is not installed because it can't be used as a plugin: %w", file, &renamed{err, program, file})
	}
	who := identityOf(d)
	if err := who.check(); err != nil {
		return identity{}, failure.New(failure.Refused, "%s is not installed: %w; its author must change that", file, err)
	}
	return who, nil
}

// renamed is an error about the copy that shows the path of the original file, because the
// copy no longer exists when the error is read.
type renamed struct {
	err        error
	copy, file string
}

func (r *renamed) Error() string { return strings.ReplaceAll(r.err.Error(), r.copy, r.file) }
func (r *renamed) Unwrap() error { return r.err }

// put renames the copy, writes the lock file, and then removes the files it replaces.
func (f *File) put(root *os.Root, temp string, pin Pin, before *Plugin) error {
	if err := f.place(root, temp, pin.Path); err != nil {
		return err
	}
	if err := f.save(root); err != nil {
		return err
	}
	if before == nil {
		return nil
	}
	return f.discard(root, before)
}
