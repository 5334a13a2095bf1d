package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lmsvault/vault/internal/compare"
	"github.com/lmsvault/vault/internal/servers"
)

// A sequence that SQLite does not support stops the run before anything is written;
// if the loss is accepted, everything else is transferred and proven.
func TestLostSequenceCanBeAccepted(t *testing.T) {
	maria, target := servers.MariaDB(t), sqliteFile(t)
	for _, statement := range []string{
		"CREATE TABLE mdl_queue (name VARCHAR(20) NOT NULL PRIMARY KEY, number BIGINT NOT NULL AUTO_INCREMENT, KEY (number))",
		"INSERT INTO mdl_queue (name) VALUES ('a'), ('b')",
	} {
		if _, err := maria.SQL.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"FROM=" + maria.DSN, "TO=" + target.env}
	pipeline := pipelineFile(t, fmt.Sprintf("version: 1\nsource: [{use: mysql, with: {dsn: \"${env:FROM}\"}}]\nsink: ["+target.stage+"]\n", "TO"))
	if out := vault(t, env, "run", pipeline); out.code != 3 || !strings.Contains(out.stderr, "--accept-loss default=1") {
		t.Fatalf("exit %d: %s", out.code, out.stderr)
	}
	must(t, env, "run", pipeline, "--accept-loss", "default=1")
	got := compare.Site(t, target.look)
	if len(got) != 1 || len(got["queue"].Rows) != 2 {
		t.Errorf("the target holds %v", got)
	}
}
