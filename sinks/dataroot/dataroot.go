package dataroot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
)

func open(cfg *Config, env stage.Env) (stage.FileSink, error) {
	return filetree.NewSink(cfg.Dir, env.TempDir, filetree.Layout{
		Part:        stage.Dataroot,
		Holds:       holds,
		Keeping:     keeping,
		Overwrites:  optional,
		Owns:        isDataRoot,
		What:        "a Moodle data root",
		Foreign:     []moodle.Folder{moodle.Code, moodle.Pool},
		Closes:      true,
		StaysClosed: cfg.StaysClosed,
		Marks:       true,
		Links:       true,
		Owners:      cfg.Owner == filetree.KeepOwner,
		Setuid:      cfg.Setuid,
	})
}

// isDataRoot reports whether Moodle has used a directory as its data root. Names that
// other programs also use, such as cache, prove nothing.
func isDataRoot(root *os.Root) (bool, error) {
	for _, name := range []string{moodle.FiledirName, "localcache", "muc", "trashdir"} {
		info, err := root.Lstat(name)
		if err == nil && (info.IsDir() || info.Mode()&fs.ModeSymlink != 0) {
			return true, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	return false, nil
}

func top(path string) string {
	name, _, _ := strings.Cut(path, "/")
	return name
}

// optional reports whether a path is one that a backup may include: muc of the target
// is kept unless the snapshot has it.
func optional(path string) bool { return moodle.Optional(top(path)) }

func holds(path string) (bool, error) {
	if top(path) == moodle.LostFound { // older snapshots contain it
		return false, nil
	}
	if why, out := moodle.Excluded(top(path), nil); out && !optional(path) {
		return false, fmt.Errorf("%s is never restored (%s)", top(path), why)
	}
	return true, nil
}

func keeping(path string) filetree.Keeping {
	if _, out := moodle.Excluded(path, nil); out && !strings.Contains(path, "/") {
		return filetree.Keep
	}
	return filetree.Remove
}
