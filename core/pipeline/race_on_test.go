//go:build race

package pipeline_test

// raced reports whether the race detector slows everything down.
const raced = true
