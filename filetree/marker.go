package filetree

import (
	"errors"
	"io/fs"
	"os"

	"github.com/lmsvault/vault/core/failure"
)

// MarkerName is the file that a sink keeps in its root while what is there is not whole.
const MarkerName = ".vault-restoring"

const markerText = "Vault is restoring into this directory, or did not finish: what is here is not whole.\n" +
	"Run the restore again with replace: true.\n"

// OpenSource opens the root directory of a site's files. One that holds a
// half-done restore is refused.
func OpenSource(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, failure.New(failure.Refused, "opening the directory to read: %w", err)
	}
	_, err = root.Lstat(MarkerName)
	if errors.Is(err, fs.ErrNotExist) {
		return root, nil
	}
	if err == nil {
		err = errors.New("it holds a restore that did not finish (" + MarkerName + "): restore it again, or remove that file if you know that everything is there")
	}
	return nil, errors.Join(failure.New(failure.Refused, "reading %s: %w", dir, err), root.Close())
}
