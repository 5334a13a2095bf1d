// Package snapshotcmd implements the commands for repositories and their snapshots:
// init-repository, snapshots, show, ls, cat, verify, copy, forget, prune and key.
package snapshotcmd
