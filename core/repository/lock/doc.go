// Package lock lets the processes that use a repository wait for each other, by
// objects in its storage. Readers and writers share it, what removes objects has it
// alone. A lock expires unless its owner renews it; where the storage can create
// objects, turns decide between those that come at the same moment.
package lock
