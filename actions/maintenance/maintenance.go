package maintenance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lmsvault/vault/core/moodle/maintenance"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
)

// findingID is the ID of all findings.
const findingID = "maintenance"

type action struct {
	stage.UnimplementedAction
	config *Config
}

// Run closes or opens the site.
func (a *action) Run(_ context.Context, r stage.ActionRequest) (report stage.ActionReport, err error) {
	root, err := os.OpenRoot(a.config.DataRoot)
	if errors.Is(err, fs.ErrNotExist) {
		return a.report(stage.LevelNote, "the data root does not exist, so there is no site to close or open", ""), nil
	}
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if a.config.Mode == "on" {
		return a.on(root, r.DryRun)
	}
	return a.off(root, r.DryRun)
}

func (a *action) on(root *os.Root, dry bool) (stage.ActionReport, error) {
	by, closed, err := maintenance.Closed(root)
	if err != nil {
		return stage.ActionReport{}, err
	}
	if dry && !closed {
		return a.report(stage.LevelOK, "would close the site", ""), nil
	}
	if !closed {
		if by, err = maintenance.Close(root, a.config.Mark, cmp.Or(a.config.Message, maintenance.DefaultMessage)); err != nil {
			return stage.ActionReport{}, err
		}
	}
	switch {
	case by != a.config.Mark:
		return a.report(stage.LevelNote, "the site is closed already, by "+closedBy(by), ""), nil
	case closed:
		return a.report(stage.LevelOK, "the site is still closed since an earlier run", ""), nil
	}
	return a.report(stage.LevelOK, "closed the site", ""), nil
}

func (a *action) off(root *os.Root, dry bool) (stage.ActionReport, error) {
	by, closed, err := maintenance.Closed(root)
	if err != nil {
		return stage.ActionReport{}, err
	}
	unfinished, err := filetree.Unfinished(root)
	if err != nil {
		return stage.ActionReport{}, err
	}
	switch ours := by == a.config.Mark || strings.HasPrefix(by, reserved); {
	case !closed:
		return a.report(stage.LevelOK, "the site is open", ""), nil
	case !ours:
		return a.report(stage.LevelNote, "the site stays closed, because "+closedBy(by)+" has closed it", "remove the file if nobody needs it"), nil
	case dry:
		return a.report(stage.LevelOK, "would open the site", ""), nil
	case unfinished:
		return a.report(stage.LevelWarning, "the site stays closed, because a restore of its files is not complete", "run vault recover with the pipeline of the restore, or run that again"), nil
	}
	if _, _, err := maintenance.Open(root, by); err != nil {
		return stage.ActionReport{}, err
	}
	return a.report(stage.LevelOK, "opened the site", ""), nil
}

// closedBy describes who closed a site.
func closedBy(by string) string {
	if by == "" {
		return "somebody else"
	}
	return fmt.Sprintf("Vault's %q", by)
}

func (a *action) report(level stage.Level, what, remedy string) stage.ActionReport {
	return stage.ActionReport{Findings: []stage.ActionFinding{{
		ID: findingID, Level: level, What: what, Where: filepath.Join(a.config.DataRoot, maintenance.FileName), Remedy: remedy,
	}}}
}
