// Package object has what all parts of a repository's format share: the names of
// objects in the storage, IDs of chunks, the root object, damage, and reading fields
// of binary lists. Nothing here knows keys or snapshots.
package object
