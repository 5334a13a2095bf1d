// Package keyring seals and opens the objects of a repository. A Generation is one key of
// the repository with its chain of byte transforms. The object keys/KID describes it, and
// access/KID/NAME opens it with a passphrase or for recipients. A repository has several
// generations if its key was changed; each object's name contains the KID of its own.
package keyring
