// Package conformance tests that a stage keeps what the comments of package
// core/stage promise. One call from a test of the stage's package runs all
// checks of its role:
//
//	func TestConformance(t *testing.T) {
//		conformance.Storage(t, open, reopen) // an empty storage; the same place once more
//	}
//
// The suites see a stage through its interfaces only, so a stage in a process
// of its own is tested by giving a constructor of its stand-in. Nothing is
// skipped by itself: what can't be checked with a fixture is a field of the fixture.
package conformance
