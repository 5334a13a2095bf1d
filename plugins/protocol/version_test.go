package protocol

import (
	"strings"
	"testing"
)

// Versions have a single order.
func TestVersions(t *testing.T) {
	inOrder := []string{
		"0.0.1", "0.9.0", "0.10.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0-alpha.beta",
		"1.0.0-rc.1", "1.0.0", "1.0.1", "99999999999999999999.0.0",
	}
	for i, a := range inOrder {
		if !GoodVersion(a) {
			t.Errorf("%s is not accepted", a)
		}
		for j, b := range inOrder {
			if got, want := CompareVersions(a, b), min(1, max(-1, i-j)); got != want {
				t.Errorf("%s and %s compare as %d, want %d", a, b, got, want)
			}
		}
	}
	for _, bad := range []string{
		"", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3.4", "1.2.3+build", "1.2.3-", "1.2.3-a..b", "1.2.3-01", "1.2.3 ", "1.2.3\n", "-1.2.3",
		"1.2.3-" + strings.Repeat("a", 60),
	} {
		if GoodVersion(bad) {
			t.Errorf("%q is accepted", bad)
		}
	}
}
