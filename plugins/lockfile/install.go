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
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/host"
	"github.com/lmsvault/vault/plugins/protocol"
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
		temp, digest, err := f.copy(root, file)
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
	if major, ok := incompatible(err); ok {
		return identity{}, failure.New(failure.Refused, "%s is not installed: %w", file, otherProtocol(major))
	}
	if err != nil {
		return identity{}, fmt.Errorf("%s is not installed, as it doesn't answer as a plugin of Vault: %w", file, err)
	}
	who := identityOf(d)
	if err := who.check(); err != nil {
		return identity{}, failure.New(failure.Refused, "%s is not installed: %w; its author must change that", file, err)
	}
	return who, nil
}

// copy copies a program to a temporary file that can be executed.
func (f *File) copy(root *os.Root, file string) (temp, digest string, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", "", failure.New(failure.Usage, "the plugin's file can't be read: %w", err)
	}
	switch {
	case info.IsDir():
		return "", "", failure.New(failure.Usage, "%s is a folder: name the executable file in it", file)
	case !info.Mode().IsRegular():
		return "", "", failure.New(failure.Usage, "%s is not a regular file", file)
	case info.Mode()&0o111 == 0:
		return "", "", failure.New(failure.Refused, "%s is not executable (mode %04o): if it is the plugin's program, run chmod +x %s", file, info.Mode().Perm(), quoted(file))
	}
	if err := f.makeFolder(root); err != nil {
		return "", "", err
	}
	in, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", "", failure.New(failure.Usage, "the plugin's file can't be read: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, temp, err := create(root, Folder)
	if err != nil {
		return "", "", err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, h), in)
	if err = errors.Join(err, finish(out, 0o755)); err != nil {
		return "", "", fmt.Errorf("copying %s: %w", file, errors.Join(err, gone(root.Remove(temp))))
	}
	return temp, hex.EncodeToString(h.Sum(nil)), nil
}

// makeFolder makes the folder of the plugins' files, if it is not there, and
// looks whether nobody else may write to it.
func (f *File) makeFolder(root *os.Root) error {
	err := root.Mkdir(Folder, 0o755)
	if err == nil {
		return syncFolder(root, ".")
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the folder for plugins: %w", err)
	}
	return failure.Wrap(failure.Refused, f.folder(root, Folder))
}

// free looks whether the names of the stages are free.
func (f *File) free(who identity, builtIn *stage.Registry) error {
	for _, s := range who.stages {
		for _, role := range s.places() {
			if b, ok := builtIn.Find(role, s.Name); ok {
				return fmt.Errorf("its %s has the name of vault's own %s %s, and a pipeline could not tell them apart; its author must choose another", s, b.Role, b.Name)
			}
		}
		for _, p := range f.Plugins {
			if p.Name == who.name {
				continue
			}
			for _, other := range p.Stages {
				if s.meets(other) {
					return fmt.Errorf("its %s has the name of the %s of plugin %s %s, and a pipeline could not tell them apart: run vault plugin remove %s first if you want this one", s, other, p.Name, p.Version, p.Name)
				}
			}
		}
	}
	return nil
}

// add changes the lock file's entry.
func (f *File) add(who identity, digest string, o Options) (*Installed, error) {
	next := &Plugin{Name: who.name, Version: who.version, Protocol: protocol.Major, SDK: who.sdk, Stages: who.stages, file: f}
	pin := Pin{
		Platform: Platform(), SHA256: digest, Since: o.Now.UTC().Truncate(time.Second),
		Path: Folder + "/" + who.name + "-" + who.version + "-" + strings.ReplaceAll(Platform(), "/", "-"),
	}
	out := &Installed{Plugin: next}
	if last, ok := f.Plugin(who.name); ok {
		out.Before = last.Version
		if err := last.allows(next, digest, o.Replace); err != nil {
			return nil, err
		}
		same := last.Version == next.Version && sameStages(last.Stages, next.Stages)
		for _, p := range last.Pins {
			switch {
			case p.Platform != pin.Platform && same:
				next.Pins = append(next.Pins, p)
			case p.Platform != pin.Platform:
				out.Dropped = append(out.Dropped, p.Platform)
			case same && p.SHA256 == digest && last.Protocol == next.Protocol:
				pin.Since, out.Same = p.Since, true
			}
		}
		f.forget(last)
	}
	out.Pin = pin
	next.Pins = append(next.Pins, pin)
	f.Plugins = append(f.Plugins, next)
	f.sort()
	return out, nil
}

// allows tells whether the entry may be replaced by another one.
func (p *Plugin) allows(next *Plugin, digest string, replace bool) error {
	if replace {
		return nil
	}
	switch c := compareVersions(next.Version, p.Version); {
	case c < 0:
		return fmt.Errorf("it is %s %s, and the newer %s is installed: add --replace to go back", next.Name, next.Version, p.Version)
	case c > 0:
		return nil
	}
	pin, ok := p.Pin()
	switch {
	case ok && pin.SHA256 != digest:
		return fmt.Errorf("it is %s %s with the SHA-256 %s, and %s pins the same version with %s since %s: two files of one version should not be; add --replace if you trust this one",
			next.Name, next.Version, digest, Name, pin.SHA256, pin.Since.Format(time.DateOnly))
	case !sameStages(p.Stages, next.Stages):
		return fmt.Errorf("it is %s %s with the stages %s, and on %s the same version has %s: add --replace to give those up",
			next.Name, next.Version, list(next.Stages), p.Pins[0].Platform, list(p.Stages))
	}
	return nil
}

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
