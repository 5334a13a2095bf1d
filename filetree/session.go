package filetree

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// session is the content of a stage.Session of a directory. Files have no snapshot:
// each is read in the state that it has when a process reads it.
type session struct {
	Format    string              `json:"format"`
	Directory uint64              `json:"directory"` // its inode number; 0 if the system has none
	Selection selection.Selection `json:"selection"`
}

const sessionFormat = "vault directory 1"

// NewSession returns a session with which another process, on this machine or on one
// that mounts the same file system, reads the units of root that were planned with s.
func NewSession(root *os.Root, s selection.Selection) (stage.Session, error) {
	directory, err := inode(root)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(session{sessionFormat, directory, s})
	return text, err
}

// JoinSession returns the selection of a session. A session of another directory than
// root is refused.
func JoinSession(root *os.Root, s stage.Session) (selection.Selection, error) {
	var joined session
	if err := json.Unmarshal(s, &joined); err != nil || joined.Format != sessionFormat {
		return selection.Selection{}, failure.New(failure.Refused, "not a session of a directory: %.60q", s)
	}
	directory, err := inode(root)
	if err != nil {
		return selection.Selection{}, err
	}
	if directory != joined.Directory {
		return selection.Selection{}, failure.New(failure.Refused, "%s is not the directory that was planned; is the same file system mounted?", root.Name())
	}
	return joined.Selection, nil
}

// inode returns the inode number of a directory.
func inode(root *os.Root) (uint64, error) {
	info, err := root.Stat(".")
	if err != nil {
		return 0, fmt.Errorf("examining %s: %w", root.Name(), err)
	}
	return inodeOf(info), nil
}
