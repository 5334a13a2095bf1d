package stage

import "math"

// MaxID is the largest number of a user or group. chown(2) takes the number above
// it for "leave it as it is", so no entry may have that.
const MaxID = math.MaxUint32 - 1

// Owner is the user and the group that an entry belongs to. The zero value is an
// unknown owner, not root.
//
// It has numbers and no names: numbers are what a file system stores, and names
// would have to be looked up on both machines, where a statically linked program
// and a container see other users than the directory service of the site does. A
// restore on the same machine, or on one that was set up like it, has the same
// numbers; elsewhere files are better restored as the user who is to have them.
type Owner struct {
	Known    bool
	UID, GID uint32 // at most MaxID; 0 if not known
}
