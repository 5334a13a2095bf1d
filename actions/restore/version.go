package restore

import (
	"context"
	"fmt"

	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/stage"
)

var versions = check.Check{
	ID: "restore-version", Title: "Version of Moodle", Levels: []stage.Level{stage.LevelOK, stage.LevelWarning, stage.LevelFail},
	Doc: `The target's code must not be older than the site of the backup. If it is newer, Moodle has to be upgraded after
the restore (a warning), and its admin/environment.xml names the oldest release that it can upgrade: a backup of an
older one fails.`,
	Remedy: "restore into code of the backup's release, and upgrade from there.",
}

func checkVersion(_ context.Context, s *subject) ([]stage.ActionFinding, error) {
	was, known := s.versions[component.Core]
	if !known {
		return []stage.ActionFinding{versions.Finding(stage.LevelNote, "not compared: the backup does not record its version")}, nil
	}
	if s.codeErr != nil {
		return nil, s.codeErr
	}
	backup, target := named(s.release, was), named(s.code.Release, s.code.Version)
	switch s.code.Version.Compare(was) {
	case 0:
		return []stage.ActionFinding{versions.Finding(stage.LevelOK, "backup and target have the same version of Moodle: %s", target)}, nil
	case -1:
		f := versions.Finding(stage.LevelFail, "the target's code (%s) is older than the site of the backup (%s)", target, backup)
		f.Where, f.Remedy = s.config.Dir, "install Moodle "+backup+" or a later version there, or restore elsewhere"
		return []stage.ActionFinding{f}, nil
	}
	if s.release == "" {
		return []stage.ActionFinding{s.upgrade(backup, target)}, nil
	}
	can, oldest, err := s.code.CanUpgrade(s.release)
	if err != nil {
		return nil, err
	}
	if !can {
		f := versions.Finding(stage.LevelFail, "the target's code (%s) cannot upgrade a site of the backup's release (%s); it needs at least %s", target, backup, oldest)
		f.Where = s.config.Dir
		f.Remedy = fmt.Sprintf("restore into code of the backup's release, upgrade to %s or later there, and then to the target's", oldest)
		return []stage.ActionFinding{f}, nil
	}
	return []stage.ActionFinding{s.upgrade(backup, target)}, nil
}

// upgrade is the warning that Moodle has to be upgraded after the restore.
func (s *subject) upgrade(backup, target string) stage.ActionFinding {
	f := versions.Finding(stage.LevelWarning, "the restored site needs Moodle's upgrade afterwards: the target's code (%s) is newer than the site of the backup (%s)", target, backup)
	f.Remedy = "after the restore run: php " + s.config.Dir + "/admin/cli/upgrade.php"
	return f
}
