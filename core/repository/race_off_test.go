//go:build !race

package repository_test

// rounds is the number of rounds of TestKill.
const rounds = 50
