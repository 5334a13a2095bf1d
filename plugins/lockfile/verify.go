package lockfile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/plugins/host"
	"github.com/lmsvault/vault/plugins/protocol"
)

// Program returns what to run for the plugin on this platform, after looking
// whether its file is the one that is pinned and nobody else may change it. It
// executes nothing. The error, of class failure.Refused, says why the plugin is
// refused and what to do. host.Program.SHA256 is set: the host looks again at what
// it starts.
func (p *Plugin) Program() (host.Program, error) {
	pin, err := p.Verify()
	if err != nil {
		return host.Program{}, failure.New(failure.Refused, "plugin %s is installed, and refused: %w", p.Name, err)
	}
	file, err := filepath.Abs(filepath.Join(p.file.Dir, filepath.FromSlash(pin.Path)))
	if err != nil {
		return host.Program{}, err
	}
	return host.Program{Name: p.Name, Path: file, SHA256: pin.SHA256}, nil
}

// Verify looks as Program does, and returns what is pinned for this platform. The
// error is the bare reason; the Pin comes with it as far as there is one.
func (p *Plugin) Verify() (pin Pin, err error) {
	pin, ok := p.Pin()
	if p.Protocol != protocol.Major {
		return pin, otherProtocol(p.Protocol)
	}
	if err := apart(p.Stages, p.file.BuiltIn); err != nil {
		return pin, err
	}
	if !ok {
		var has []string
		for _, q := range p.Pins {
			has = append(has, q.Platform)
		}
		return pin, fmt.Errorf("%s pins it for %s, and this is %s: run vault plugin install with its file for this platform", Name, strings.Join(has, ", "), Platform())
	}
	root, err := os.OpenRoot(p.file.Dir)
	if err != nil {
		return pin, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if err := p.file.trust(root); err != nil {
		return pin, err
	}
	return pin, p.file.check(root, pin)
}

func otherProtocol(major int) error {
	newer := "install a version of it that was made for this vault"
	if major > protocol.Major {
		newer = "use a newer vault, or an older version of the plugin"
	}
	return fmt.Errorf("it speaks version %d of the protocol, and this vault speaks version %d: %s", major, protocol.Major, newer)
}

// trust looks whether somebody else could have changed the lock file or put
// something in its place.
func (f *File) trust(root *os.Root) error {
	info, err := root.Lstat(".")
	if err != nil {
		return err
	}
	if err := trusted(f.path("."), info); err != nil {
		return err
	}
	if f.info == nil {
		return nil
	}
	return trusted(f.path(Name), f.info)
}

// check looks at a pinned file and the folders on the way to it.
func (f *File) check(root *os.Root, pin Pin) error {
	for i, c := range pin.Path {
		if c != '/' {
			continue
		}
		if err := f.folder(root, pin.Path[:i]); errors.Is(err, fs.ErrNotExist) {
			return missing(f.path(pin.Path))
		} else if err != nil {
			return err
		}
	}
	where := f.path(pin.Path)
	info, err := root.Lstat(pin.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return missing(where)
	}
	if err != nil {
		return err
	}
	if err := regular(info); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	if err := trusted(where, info); err != nil {
		return err
	}
	if err := unix.Access(filepath.Join(root.Name(), pin.Path), unix.X_OK); err != nil {
		return fmt.Errorf("%s can't be executed (mode %04o): run chmod 0755 %s, and see that its file system is not mounted noexec", where, info.Mode().Perm(), quoted(where))
	}
	digest, err := digestOf(root, pin.Path, info)
	if err != nil {
		return err
	}
	if digest != pin.SHA256 {
		return fmt.Errorf("%s is not the file that was pinned: its SHA-256 is %s, and %s pins %s since %s; if you trust the change, run vault plugin install with --replace, else put the pinned file back",
			where, digest, Name, pin.SHA256, pin.Since.Format(time.DateOnly))
	}
	return nil
}

func missing(where string) error {
	return fmt.Errorf("%s pins %s, but the file is not there: install it again", Name, where)
}

// folder looks at a folder on the way to a plugin's file.
func (f *File) folder(root *os.Root, name string) error {
	info, err := root.Lstat(name)
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link, which can be led elsewhere at any time: put a folder there", f.path(name))
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder", f.path(name))
	}
	return trusted(f.path(name), info)
}

// digestOf sums the file that was looked at.
func digestOf(root *os.Root, name string, seen fs.FileInfo) (digest string, err error) {
	file, err := root.OpenFile(path.Clean(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	if !os.SameFile(seen, info) {
		return "", fmt.Errorf("%s was exchanged while it was looked at: try again", name)
	}
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
