package e2e

import (
	"fmt"
	"testing"

	"github.com/lmsvault/vault/internal/compare"
)

// A site can be migrated from any engine to any other: all tables, rows, unique keys
// and sequences are equal, read by plain SQL on both sides.
func TestSiteMovesBetweenAllEngines(t *testing.T) {
	for _, from := range engines {
		t.Run(from.name, func(t *testing.T) {
			source := from.make(t)
			fill(t, source)
			want := compare.Site(t, source.look)
			if len(want) < 15 || len(want["user"].Rows) == 0 {
				t.Fatalf("the sample site has %d tables and %d users", len(want), len(want["user"].Rows))
			}
			for _, to := range engines {
				t.Run("to "+to.name, func(t *testing.T) {
					target := to.make(t)
					must(t, []string{"FROM=" + source.env, "TO=" + target.env}, "run", pipelineFile(t, fmt.Sprintf(
						"version: 1\nsource: ["+source.stage+"]\nsink: ["+target.stage+"]\n", "FROM", "TO")))
					compare.Equal(t, want, compare.Site(t, target.look))
				})
			}
		})
	}
}

// fill writes the sample site to an empty database.
func fill(t testing.TB, db database) {
	t.Helper()
	must(t, []string{"TO=" + db.env}, "run", pipelineFile(t, fmt.Sprintf(
		"version: 1\nsource: [{use: sample, with: {files: false}}]\nsink: ["+db.stage+"]\n", "TO")))
}
