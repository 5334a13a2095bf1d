// Package files writes a Moodle file pool (filedir).
package files

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
)

// Config is the configuration of the sink files.
type Config struct {
	Dir    string `key:"dir" required:"true" help:"the file pool to write: the directory filedir in the site's data root; created if missing" example:"/var/moodledata/filedir"`
	Owner  string `key:"owner" default:"user" oneof:"user keep" help:"owner of restored files: user for the user who runs Vault, keep for the original owner, which needs root"`
	Setuid bool   `key:"keep_setuid" help:"restore the setuid and setgid bits of files even if the owner is not restored; such a file runs with the rights of the restoring user"`
}

const doc = `Writes Moodle's file pool. Each file is written under a temporary name, read
back and compared with its checksum, and only then renamed; all files are durable before the
restore counts as finished. Nothing outside the directory is touched, whatever the names in
the snapshot. Symbolic links are neither followed nor created. While the directory is
incomplete it holds a file .vault-restoring; an interrupted restore is repeated with
replace: true.

replace: true creates the new pool in the directory .vault-swap. When all parts of the site
are proven, the new contents are added to the old pool as hard links, so that it serves the
old database and the new one. Contents that only the old site has are removed last, when the
rest of the new site is in place. Without hard links the entries of both pools are exchanged
instead. The directory itself is never renamed: it may be a mount point, or mounted into a
container. Any earlier failure leaves the old contents unchanged. After a run that dies, the
next one or vault recover completes it or removes what it added, depending on which database
the site has; no backup contains .vault-swap. Both need disk space; replace: in_place removes the
old pool first, and a run that fails after that leaves none. Unmount or preserve anything
mounted in the old pool.

Only a file pool, an empty directory or an earlier restore of a pool is replaced; vault plan
lists what would be removed. lost+found and the paths in preserve, relative to the pool,
stay. The first line of the marker names the part, "part: filedir"; a marker of another part
is refused.

Modes and times of files are restored, without setuid and setgid bits. Directories get the
mode of the pool's own directory when the restore finishes; until then only the user who
restores can enter them. Files belong to that user: restore as the web server's user, or
change the owner afterwards, or run as root with owner: keep.

owner: keep gives each file the user and group that it had, as numbers, and verifies them;
setuid and setgid bits stay then. The directories of the pool get the owner that most files
have, and so does the pool's own directory if the restore makes it, or if it belongs to root
and its group. User and group IDs refer to the same users only on the same machine, or on
one with the same accounts. Files of an older snapshot, whose owner is not known, belong to
root, and a note counts them.`

// Stage is the registered sink.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "files",
			Role:    stage.RoleSink,
			Summary: "Writes Moodle's file pool (filedir).",
			Doc:     doc,
			Parts:   []string{stage.Filedir},
			Config:  func() any { return &Config{} },
		},
		NewSink: stage.Typed(func(_ context.Context, c *Config, env stage.Env) (stage.Sink, error) {
			return open(c, env)
		}),
	}
}

func open(cfg *Config, env stage.Env) (stage.FileSink, error) {
	return filetree.NewSink(cfg.Dir, env.TempDir, filetree.Layout{
		Part:       stage.Filedir,
		Holds:      func(string) (bool, error) { return true, nil },
		Keeping:    func(string) filetree.Keeping { return filetree.Remove },
		Overwrites: func(string) bool { return false },
		Owns:       isPool,
		What:       "a file pool",
		Foreign:    []moodle.Folder{moodle.DataRoot, moodle.Code},
		Usual:      func(name string) bool { return moodle.PoolFolder(name) || name == warning },
		Pool:       true,
		Owners:     cfg.Owner == filetree.KeepOwner,
		Setuid:     cfg.Setuid,
	})
}

// warning is the file that Moodle creates in an empty pool.
const warning = "warning.txt"

// isPool reports whether a directory is a file pool: it has a directory such as
// ab/cd, or nothing but Moodle's warning.
func isPool(root *os.Root) (bool, error) {
	warned, alone := false, true
	for name, err := range filetree.Names(root) {
		if err != nil {
			return false, err
		}
		if name == warning {
			warned = true
			continue
		}
		alone = alone && name == moodle.LostFound
		if !moodle.PoolFolder(name) {
			continue
		}
		if pool, err := hasPoolFolder(root, name); pool || err != nil {
			return pool, err
		}
	}
	return warned && alone, nil
}

func hasPoolFolder(root *os.Root, name string) (has bool, err error) {
	dir, err := filetree.OpenDir(root, name)
	if errors.Is(err, filetree.ErrNotDir) || errors.Is(err, fs.ErrPermission) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	for inner, err := range filetree.Names(dir) {
		if err != nil {
			return false, err
		}
		if info, err := dir.Lstat(inner); moodle.PoolFolder(inner) && err == nil && info.IsDir() {
			return true, nil
		}
	}
	return false, nil
}
