//go:build race

package repository_test

// rounds of TestKill: fewer, as a process of the race detector takes long to begin.
const rounds = 8
