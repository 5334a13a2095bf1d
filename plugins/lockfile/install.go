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

// Options say how to install.
type Options struct {
	SHA256  string          // that the file must have, in hex; "" for any
	Replace bool            // also by a lower version, or by another file of the same one
	BuiltIn *stage.Registry // whose stages' names are taken
	// Describe is host.Host's. It is called after everything was looked at that can
	// be known without running the program.
	Describe func(ctx context.Context, p host.Program) (*host.Description, error)
	Now      time.Time
}

// Installed is what Install did.
type Installed struct {
	Plugin *Plugin
	Pin    Pin
	Before string // the version that was installed; "" for none
	// Same tells that the plugin was pinned like this before.
	Same bool
	// Dropped are platforms that are no longer pinned: their files were of another
	// version, or of one with other stages.
	Dropped []string
}

// Install copies one executable file to the folder beside the pipelines of dir,
// asks the copy what it is, and pins it for this platform in the lock file. Of
// several at once none gets lost. After an error nothing is pinned that was not before.
func Install(ctx context.Context, dir, file string, o Options) (*Installed, error) {
	o.SHA256 = strings.ToLower(o.SHA256)
	if o.SHA256 != "" && !goodDigest.MatchString(o.SHA256) {
		return nil, failure.New(failure.Usage, "%q is not a SHA-256: it has 64 digits of 0-9 and a-f", o.SHA256)
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
			return failure.New(failure.Refused, "%s was not run and not installed: its SHA-256 is %s, and --sha256 says %s: get the file again from its author", file, digest, o.SHA256)
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

// ask asks the copy what it is.
func (o Options) ask(ctx context.Context, root *os.Root, file, temp, digest string) (identity, error) {
	program, err := filepath.Abs(filepath.Join(root.Name(), filepath.FromSlash(temp)))
	if err != nil {
		return identity{}, err
	}
	d, err := o.Describe(ctx, host.Program{Name: filepath.Base(file), Path: program, SHA256: digest})
	if err != nil {
		return identity{}, fmt.Errorf("%s is not installed, as it can't be used as a plugin: %w", file, &renamed{err, program, file})
	}
	who := identityOf(d)
	if err := who.check(); err != nil {
		return identity{}, failure.New(failure.Refused, "%s is not installed: %w; its author must change that", file, err)
	}
	return who, nil
}

// renamed is an error about the copy that names the file in its place: the copy is
// gone when somebody reads it.
type renamed struct {
	err        error
	copy, file string
}

func (r *renamed) Error() string { return strings.ReplaceAll(r.err.Error(), r.copy, r.file) }
func (r *renamed) Unwrap() error { return r.err }

// put gives the copy its name, writes the lock file, and then removes what it
// replaces.
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
