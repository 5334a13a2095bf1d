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
		Part:       stage.Dataroot,
		Holds:      holds,
		Keeping:    keeping,
		Overwrites: optional,
		Owns:       isDataRoot,
		What:       "a Moodle data root",
		Foreign:    []moodle.Folder{moodle.Code, moodle.Pool},
		Marks:      true,
		Links:      true,
		Owners:     cfg.Owner == filetree.KeepOwner,
		Setuid:     cfg.Setuid,
	})
}

// isDataRoot tells whether Moodle has used a directory as its data root. Names
// that other programs use, too, such as cache, prove nothing.
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

// optional tells whether a path belongs to what a backup may include: muc of the
// target is kept, but one from the snapshot takes its place.
func optional(path string) bool { return moodle.Optional(top(path)) }

func holds(path string) (bool, error) {
	if top(path) == moodle.LostFound { // snapshots from before it was left out hold it
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
