// Package conformance tests that a stage keeps the contract stated in package core/stage.
// It has a list of named checks for each role.
//
// One call in a test of the stage's package runs them all as subtests:
//
//	func TestConformance(t *testing.T) {
//		conformance.Storage(t, open, reopen) // open returns an empty storage, reopen the same one again
//	}
//
// Run runs the same checks outside of go test. ForPlugin lists the checks for a stage of
// which only a configuration is known; vault plugin test uses both.
//
// Checks use a stage only through its interfaces. A stage in another process, in any
// language, is tested through the host. A fixture with a Process adds the checks that kill
// that process. A check that can't be run is skipped with a reason.
package conformance
