package snapshotcmd

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/storages/local"
)

// shownLog is the log of a snapshot in the output of --json.
type shownLog struct {
	Snapshot string           `json:"snapshot"`
	Log      []stage.LogEntry `json:"log"`
	Restore  []string         `json:"restore"` // how to restore the snapshot, line by line
}

// showLog prints the log of the run that made a snapshot, and how to restore it.
func showLog(a *cli.App, s *stage.Snapshot, repo string) error {
	if len(s.Log) == 0 {
		return failure.New(failure.Usage, "snapshot %s has no log; a version of vault without logs made it", s.ID)
	}
	if a.Flag("json").On {
		return a.PrintJSON(shownLog{s.ID, s.Log, restoring(s, repo)})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "log of snapshot %s by %s on %s\n", s.ID, cli.Plain(s.Pipeline), cli.Plain(s.Host))
	for _, e := range s.Log {
		text := strings.ReplaceAll(e.String(), "\n", "\n                      ")
		fmt.Fprintf(&b, "%s  %s\n", e.Time.Local().Format(time.DateTime), cli.Plain(text))
	}
	fmt.Fprintf(&b, "%s\n", cli.Plain(strings.Join(restoring(s, repo), "\n")))
	return a.Print(b.String())
}

// restoring returns how to restore a snapshot of the repository REPO: the source of a
// pipeline and the command that runs it.
func restoring(s *stage.Snapshot, repo string) []string {
	what := "a pipeline whose source is the storage of " + repo + " with the setting"
	source := fmt.Sprintf("  snapshot: %q", s.ID)
	if !isPipelineFile(repo) {
		if abs, err := filepath.Abs(repo); err == nil {
			repo = abs
		}
		what = "a pipeline with"
		source = fmt.Sprintf("  source: [{use: %s, with: {dir: %q, snapshot: %q}}]", local.Stage().Name, repo, s.ID)
	}
	return []string{"to restore this snapshot, write " + what, source, "and run it:", "  vault run PIPELINE"}
}
