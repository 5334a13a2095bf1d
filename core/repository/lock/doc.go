// Package lock coordinates the processes that use a repository by lock objects in its
// storage. Readers can share a repository with a writer; pruning needs it exclusively. A lock
// expires unless its holder refreshes it. If the storage supports exclusive creation of
// objects, turns decide between processes that ask at the same time.
package lock
