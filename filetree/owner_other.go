//go:build !unix

package filetree

import (
	"io/fs"

	"github.com/lmsvault/vault/core/stage"
)

// Owner is unknown on this system.
func Owner(fs.FileInfo) stage.Owner { return stage.Owner{} }

func inodeOf(fs.FileInfo) uint64 { return 0 }
