package conformance

import "testing"

// Check is a test of one promise of a contract. Checks are independent of each other and
// run one at a time in the order listed.
type Check struct {
	ID  string // stable, of the form role/words: storage/range
	Why string // for authors of stages: what is promised, and what a site loses if it is broken
	// Run tests the promise. t is a *testing.T, or a substitute made by Run.
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
