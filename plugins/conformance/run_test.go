package conformance

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func runOne(ctx context.Context, check func(t testing.TB)) Result {
	return run(ctx, Check{ID: "x/y", Run: check}, time.Minute)
}

func TestRunReportsResults(t *testing.T) {
	for name, c := range map[string]struct {
		check func(t testing.TB)
		want  Result
	}{
		"passed":  {func(t testing.TB) { t.Helper(); t.Log("a", 1); t.Logf("%s", t.Name()) }, Result{Logs: []string{"a 1", "x/y"}}},
		"errors":  {func(t testing.TB) { t.Error("a", 1); t.Errorf("%d", 2) }, Result{Failures: []string{"a 1", "2"}}},
		"fatal":   {func(t testing.TB) { t.Fatal("a"); t.Error("b") }, Result{Failures: []string{"a"}}},
		"failnow": {func(t testing.TB) { t.FailNow() }, Result{Failures: []string{"failed"}}},
		"skipped": {func(t testing.TB) { t.Skipf("no %s", "luck"); t.Error("b") }, Result{Skipped: "no luck"}},
		"panic":   {func(testing.TB) { panic("out of luck") }, Result{Failures: []string{"panic: out of luck"}}},
		"nil":     {func(t testing.TB) { t.Setenv("A", "b") }, Result{Failures: []string{"panic: runtime error: invalid memory address or nil pointer dereference"}}},
		"cleanup": {func(t testing.TB) {
			t.Cleanup(func() { t.Log("last", t.Context().Err()) })
			t.Cleanup(func() { t.Fatal("first") })
			t.Fatal("check")
		}, Result{Failures: []string{"check", "first"}, Logs: []string{"last context canceled"}}},
	} {
		got := runOne(t.Context(), c.check)
		if !slices.Equal(got.Failures, c.want.Failures) || !slices.Equal(got.Logs, c.want.Logs) || got.Skipped != c.want.Skipped || got.Check.ID != "x/y" {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestRunRemovesTemporaryDirectories(t *testing.T) {
	var dir string
	got := runOne(t.Context(), func(t testing.TB) {
		dir = t.TempDir()
		if other := t.TempDir(); other == dir {
			t.Error("the same directory twice")
		}
		must(t, "write", os.WriteFile(dir+"/file", nil, 0o600))
	})
	if _, err := os.Stat(dir); !os.IsNotExist(err) || len(got.Failures) > 0 {
		t.Errorf("the directory still exists: %v, %q", err, got.Failures)
	}
}

func TestRunAbandonsHangingCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var got []Result
		failed := Run(t.Context(), []Check{
			{ID: "x/hangs", Run: func(testing.TB) { <-release }},
			{ID: "x/stops", Run: func(t testing.TB) { <-t.Context().Done(); t.Fatal(t.Context().Err()) }},
			{ID: "x/passes", Run: func(testing.TB) {}},
		}, func(r Result) { got = append(got, r) })
		close(release)
		if failed != 2 || len(got) != 3 || got[0].Took != Limit+grace || got[1].Took != Limit {
			t.Fatalf("%d failed: %+v", failed, got)
		}
		if told := strings.Join(got[1].Failures, "; "); told != "context deadline exceeded; the check did not end within 3m0s" {
			t.Error(told)
		}
	})
}

func TestInterruptedRunSkipsChecks(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var got []Result
	failed := Run(ctx, []Check{
		{ID: "x/one", Run: func(t testing.TB) { cancel(); <-t.Context().Done(); t.Error(t.Context().Err()) }},
		{ID: "x/two", Run: func(t testing.TB) { t.Error("runs") }},
	}, func(r Result) { got = append(got, r) })
	if failed != 0 || len(got) != 2 || got[0].Skipped != interrupted || got[1].Skipped != interrupted {
		t.Errorf("%d failed: %+v", failed, got)
	}
}

// Goroutines of a connection to another process are not leaks of the stage; all others are.
func TestLastingGoroutines(t *testing.T) {
	for creator, want := range map[string]bool{
		"google.golang.org/grpc/internal/transport.NewHTTP2Client in goroutine 7": true,
		"google.golang.org/grpc.(*ClientConn).connect in goroutine 7":             true,
		"github.com/hashicorp/go-plugin.(*Client).Start in goroutine 7":           true,
		"github.com/lmsvault/vault/plugins/host.(*Pool).start in goroutine 7":     true,
		"google.golang.org/grpcother.Start in goroutine 7":                        false,
		"github.com/lmsvault/vault/storages/local.open in goroutine 7":            false,
		"database/sql.OpenDB in goroutine 7":                                      false,
	} {
		stack := "goroutine 8 [select]:\ngoogle.golang.org/grpc.x()\n\t/x.go:1 +0x1\ncreated by " + creator + "\n\t/x.go:2 +0x2"
		if got := lasting(stack); got != want {
			t.Errorf("created by %s: %v", creator, got)
		}
	}
}
