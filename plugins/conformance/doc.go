// Package conformance tests that a stage keeps what the comments of package
// core/stage promise, by a list of named checks for each role.
//
// One call from a test of the stage's package runs all of them as subtests:
//
//	func TestConformance(t *testing.T) {
//		conformance.Storage(t, open, reopen) // an empty storage; the same place once more
//	}
//
// Outside of go test, Run runs the same checks, and ForPlugin lists those of a
// stage of which only a user's configuration is known: so does vault plugin test.
//
// The checks see a stage through its interfaces only, so a stage in a process
// of its own, in whatever language, is tested by its stand-in. A fixture that has
// a Process adds the checks that kill it. A check that can't be run skips and says why.
package conformance
