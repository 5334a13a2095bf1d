// Package plugincmd implements the subcommands of "vault plugin": install, list, info,
// verify, remove, new and test.
package plugincmd
