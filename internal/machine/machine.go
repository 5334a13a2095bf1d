// Package machine provides what tests need of their machine, besides the servers of
// package servers: a small file system, and Python with gRPC.
//
// In CI (CI=true) everything must be available, and what is missing fails the test.
// Elsewhere the test skips and says what it needs.
package machine

import (
	"fmt"
	"os"
	"testing"
)

// Missing ends the test because something is missing: as failed in CI, as skipped
// elsewhere.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	if os.Getenv("CI") == "true" {
		t.Fatalf("missing in CI, where every test must run: %s", text)
	}
	t.Skip(text)
}

// Root ends the test like Missing unless it runs as root. why completes the message
// "only root can".
func Root(t testing.TB, why string) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "only root can %s", why)
	}
}
