//go:build !race

package repository_test

// rounds of TestKill.
const rounds = 50
