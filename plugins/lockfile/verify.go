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

// Program returns how to run the plugin on this platform, after checking that its file is
// the pinned one and that nobody else may change it. It executes nothing. The error is of
// class failure.Refused and says why the plugin is refused and what to do.
// host.Program.SHA256 is set, so the host checks the file again when it starts it.
func (p *Plugin) Program() (host.Program, error) {
	pin, err := p.Verify()
	if err != nil {
		return host.Program{}, failure.New(failure.Refused, "plugin %s is installed but refused: %w", p.Name, err)
	}
	file, err := filepath.Abs(filepath.Join(p.file.Dir, filepath.FromSlash(pin.Path)))
	if err != nil {
		return host.Program{}, err
	}
	return host.Program{Name: p.Name, Path: file, SHA256: pin.SHA256}, nil
}

// Verify makes the same checks as Program and returns the pin for this platform. The error
// is only the reason; the Pin is returned with it if there is one.
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
		return pin, fmt.Errorf("%s pins it only for %s, but this is %s; run vault plugin install with its file for this platform", Name, strings.Join(has, ", "), Platform())
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
	newer := "install a version made for this vault"
	if major > protocol.Major {
		newer = "use a newer vault or an older version of the plugin"
	}
	return fmt.Errorf("it uses version %d of the protocol, this vault version %d; %s", major, protocol.Major, newer)
}

// trust checks that nobody else could have changed or replaced the lock file.
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

// check checks a pinned file and the directories on the way to it.
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
		return fmt.Errorf("%s is not executable (mode %04o); run chmod 0755 %s, and check that its file system is not mounted noexec", where, info.Mode().Perm(), quoted(where))
	}
	digest, err := digestOf(root, pin.Path, info)
	if err != nil {
		return err
	}
	if digest != pin.SHA256 {
		return fmt.Errorf("%s is not the pinned file: its SHA-256 is %s, but %s pins %s since %s; if you trust the change, run vault plugin install with --replace, otherwise restore the pinned file",
			where, digest, Name, pin.SHA256, pin.Since.Format(time.DateOnly))
	}
	return nil
}

func missing(where string) error {
	return fmt.Errorf("%s pins %s, which does not exist; install it again", Name, where)
}

// folder checks a directory on the way to a plugin's file.
func (f *File) folder(root *os.Root, name string) error {
	info, err := root.Lstat(name)
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link, whose target may change at any time; put a directory there", f.path(name))
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", f.path(name))
	}
	return trusted(f.path(name), info)
}

// digestOf returns the SHA-256 of the file that was checked.
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
		return "", fmt.Errorf("%s was replaced while it was checked; try again", name)
	}
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
