package run

import (
	"context"
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// located is a memory that reports which database and snapshot it reads.
type located struct {
	*memory
	location, snapshot string
}

func (l *located) Plan(ctx context.Context, r stage.PlanRequest) (*stage.Inventory, error) {
	inv, err := l.memory.Plan(ctx, r)
	inv.Location, inv.Snapshot = l.location, l.snapshot
	return inv, err
}

// The location of a database stays known to the sinks if the files come from a
// snapshot, and does not become a fact that snapshots keep.
func TestSinksKnowAllLocationsRead(t *testing.T) {
	to := &target{}
	j := job(t, site(), to)
	rows := site()
	rows.files = nil
	j.Origins = []Origin{
		{Name: "live", Source: &located{rows, "server A database moodle", ""}, Database: true},
		{Name: "stored", Source: &located{&memory{files: site().files}, "", "20260101-000000-00000000"}},
	}
	r, err := j.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(to.plan.Locations, []string{"server A database moodle"}) || !slices.Equal(to.plan.Snapshots, []string{"20260101-000000-00000000"}) {
		t.Errorf("the sink got %q and %q", to.plan.Locations, to.plan.Snapshots)
	}
	if !slices.Equal(r.Snapshots, to.plan.Snapshots) || len(to.outcome.Facts) != 1 {
		t.Errorf("the result names the snapshots %q, and the facts are %v", r.Snapshots, to.outcome.Facts)
	}
}
