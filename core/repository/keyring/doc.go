// Package keyring seals and opens what a repository stores. A Generation is one key of
// the repository with its chain of byte transforms; keys/KID describes it, and
// access/KID/NAME opens it for a passphrase or for recipients. A repository has several
// generations when its key was changed: each object names its own.
package keyring
