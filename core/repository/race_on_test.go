//go:build race

package repository_test

// rounds is the number of rounds of TestKill. It is low because a process with the race
// detector takes long to start.
const rounds = 8
