package postgres_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/faultproxy"
	"github.com/lmsvault/vault/internal/servers"
	sink "github.com/lmsvault/vault/sinks/postgres"
)

// finished returns a sink whose site is proven but not published.
func finished(t *testing.T, dsn string, how stage.Replace) stage.RowSink {
	t.Helper()
	s := newSink(t, sink.Config{Connection: where(dsn)})
	if err := s.Begin(t.Context(), replacing(how, table("user"))); err != nil {
		t.Fatal(err)
	}
	write(t, s, "user", "7\n")
	if err := s.Finish(t.Context(), &stage.Outcome{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prove(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// If the server's answer to the exchange is lost, the sink determines the outcome,
// and retries if nothing was done. It reports the new site only if it is in place,
// and leaves one of the two sites.
func TestAnswerToExchangeIsLost(t *testing.T) {
	for _, c := range []struct {
		name  string
		does  faultproxy.Fate
		down  bool // the server is unreachable from then on until Abort
		fails bool
	}{
		{"it was done", faultproxy.CarryOut, false, false},
		{"it was done while it was asked", faultproxy.CarryOutLate, false, false},
		{"it was not done", faultproxy.Withhold, false, false},
		{"it was done, server unreachable", faultproxy.CarryOut, true, true},
		{"it was not done, server unreachable", faultproxy.Withhold, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to, _, before := swapping(t)
			var exchanging, lost, back atomic.Bool
			s := finished(t, faultproxy.Postgres(t, to.DSN, func(statement string) faultproxy.Fate {
				switch {
				case strings.HasPrefix(statement, "LOCK TABLE"):
					exchanging.Store(true)
				case statement == "COMMIT" && exchanging.Load() && !lost.Swap(true):
					return c.does
				case c.down && lost.Load() && !back.Load():
					return faultproxy.Withhold
				}
				return faultproxy.Pass
			}), stage.ReplaceSwap)
			err := s.Publish(t.Context())
			if (err != nil) != c.fails || !lost.Load() {
				t.Fatalf("Publish returned %v", err)
			}
			back.Store(true)
			if err != nil {
				if err := s.Abort(t.Context()); err != nil {
					t.Errorf("Abort says %v", err)
				}
				same(t, "after Abort", before, contents(t, to.SQL))
			} else {
				wantNewSite(t, to)
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if err := finished(t, to.DSN, stage.ReplaceSwap).Publish(t.Context()); err != nil {
				t.Errorf("the next run: %v", err)
			}
			wantNewSite(t, to)
		})
	}
}

// Once the sites are exchanged the restore has succeeded, even if the session is
// lost; the next restore removes what remains of the old site.
func TestExchangedSiteIsPublished(t *testing.T) {
	for name, begins := range map[string]string{"the old site cannot be dropped": "DROP ", "the lock cannot be released": "SELECT pg_advisory_unlock_all"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to, _, _ := swapping(t)
			var exchanging, lost atomic.Bool
			s := finished(t, faultproxy.Postgres(t, to.DSN, func(statement string) faultproxy.Fate {
				if strings.HasPrefix(statement, "LOCK TABLE") {
					exchanging.Store(true)
				}
				if exchanging.Load() && strings.HasPrefix(statement, begins) && !strings.Contains(statement, "vault_restoring") {
					lost.Store(true)
					return faultproxy.Withhold
				}
				return faultproxy.Pass
			}), stage.ReplaceSwap)
			if err := s.Publish(t.Context()); err != nil || !lost.Load() {
				t.Fatalf("the session was lost: %t; Publish returned %v", lost.Load(), err)
			}
			if notes, err := s.(stage.Noter).Notes(t.Context()); err != nil || (len(notes) == 1) != (begins == "DROP ") {
				t.Errorf("it notes %q, %v", notes, err)
			}
			if got := column(t, to.SQL, "SELECT id FROM mdl_user"); len(got) != 1 || got[0] != "7" {
				t.Errorf("there are %q", got)
			}
			if err := finished(t, to.DSN, stage.ReplaceSwap).Publish(t.Context()); err != nil {
				t.Errorf("the next run: %v", err)
			}
			wantNewSite(t, to)
		})
	}
}

// A restore in place is published when the marker is gone, even if the answer to that
// was lost.
func TestAnswerToPublishInPlaceIsLost(t *testing.T) {
	for name, does := range map[string]faultproxy.Fate{"it was done": faultproxy.CarryOut, "it was done while it was asked": faultproxy.CarryOutLate, "it was not done": faultproxy.Withhold} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := servers.Postgres(t)
			var proven, lost atomic.Bool
			s := finished(t, faultproxy.Postgres(t, to.DSN, func(statement string) faultproxy.Fate {
				if strings.HasPrefix(statement, "DROP TABLE") && proven.Load() && !lost.Swap(true) {
					return does
				}
				return faultproxy.Pass
			}), stage.ReplaceInPlace)
			proven.Store(true)
			if err := s.Publish(t.Context()); err != nil || !lost.Load() {
				t.Fatalf("the answer was lost: %t; Publish returned %v", lost.Load(), err)
			}
			wantNewSite(t, to)
		})
	}
}

// wantNewSite requires the site of finished, with nothing beside it and no marker.
func wantNewSite(t *testing.T, db servers.Database) {
	t.Helper()
	all := strings.Join(contents(t, db.SQL), "\n")
	if strings.Contains(all, "vault_restoring") || strings.Contains(all, "mdl_plugin") {
		t.Errorf("there is\n%s", all)
	}
	if got := column(t, db.SQL, "SELECT id FROM mdl_user"); len(got) != 1 || got[0] != "7" {
		t.Errorf("there are %q", got)
	}
}
