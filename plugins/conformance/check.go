package conformance

import "testing"

// Check is one promise of a contract, with a test of it. Checks are independent
// of each other and run one at a time, in the order in which they are listed.
type Check struct {
	ID  string // stable; its role, a slash and words: storage/range
	Why string // for the author of a stage: what is promised, and what a site loses where it is broken
	// Run tests it. t is a *testing.T, or what Run makes in place of one.
	Run func(t testing.TB)
}

// runAll runs checks as subtests.
func runAll(t *testing.T, checks []Check) {
	t.Helper()
	for _, c := range checks {
		t.Run(c.ID, func(t *testing.T) { c.Run(t) })
	}
}

func must(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
