package stage

import "math"

// MaxID is the largest user or group ID. The next number means "unchanged" to chown(2), so
// no entry may have it.
const MaxID = math.MaxUint32 - 1

// Owner is the user and group of an entry. The zero value is an unknown owner, not root.
//
// It holds numeric IDs, not names. IDs are what a file system stores. Names would have to
// be looked up on both machines, and a statically linked program or a container may see
// other users than the site's directory service. A restore on the same machine, or on one
// set up like it, gets the same owners. Elsewhere, restore as the user who should own the
// files.
type Owner struct {
	Known    bool
	UID, GID uint32 // at most MaxID; 0 if unknown
}
