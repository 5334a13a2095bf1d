// Package machine gives tests what they need of the machine they run on, beside
// the servers of package servers: a small file system, a Python with gRPC.
//
// In CI (CI=true) everything must be there, and what is missing fails the test.
// Elsewhere the test skips and says what it needs.
package machine

import (
	"fmt"
	"os"
	"testing"
)

// Missing ends the test for want of something: as failed in CI, as skipped elsewhere.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	if os.Getenv("CI") == "true" {
		t.Fatalf("missing in CI, where every test must run: %s", text)
	}
	t.Skip(text)
}

// Root ends the test as Missing does unless it runs as root. why says what root is needed for.
func Root(t testing.TB, why string) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "only root can %s", why)
	}
}
