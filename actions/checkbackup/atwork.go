package checkbackup

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/stage"
)

// seconds converts a time of Moodle.
func seconds(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}
	}
	return time.Unix(n, 0)
}

// operations lists what the plugin tool_vault does now.
func operations(ctx context.Context, s *site) ([]stage.ActionFinding, error) {
	ok, err := s.has(ctx, "tool_vault_operation", "type", "status", "timemodified")
	if err != nil || !ok {
		return nil, err
	}
	rows, err := s.db.Query(ctx, "SELECT type, status, timemodified FROM {tool_vault_operation} WHERE status IN (?, ?) AND type NOT LIKE ? ORDER BY id",
		"inprogress", "scheduled", "check:%")
	if err != nil {
		return nil, err
	}
	var list []check.Operation
	for _, row := range rows {
		list = append(list, check.Operation{Type: row[0].String, Started: row[1].String == "inprogress", Modified: seconds(row[2].String)})
	}
	return check.Operations(list, time.Now()), nil
}

// tasks lists the tasks that are marked as running.
func tasks(ctx context.Context, s *site) ([]stage.ActionFinding, error) {
	var list []check.Task
	for _, table := range []string{"task_scheduled", "task_adhoc"} {
		ok, err := s.has(ctx, table, "classname", "timestarted")
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		rows, err := s.db.Query(ctx, "SELECT classname, timestarted FROM {"+table+"} WHERE timestarted IS NOT NULL ORDER BY id")
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			list = append(list, check.Task{Class: row[0].String, AdHoc: table == "task_adhoc", Started: seconds(row[1].String)})
		}
	}
	return check.Tasks(list), nil
}

// upgrade compares the versions of the code and the database. Without the code, it only
// looks for an upgrade that runs.
func upgrade(ctx context.Context, s *site) ([]stage.ActionFinding, error) {
	until, err := s.setting(ctx, "upgraderunning")
	if err != nil {
		return nil, err
	}
	of := check.UpgradeState{Running: seconds(until), Now: time.Now()}
	code, err := s.load(ctx)
	if err != nil {
		return of.Findings(), err
	}
	installed, err := s.installed(ctx)
	if err != nil {
		return of.Findings(), err
	}
	of.States = code.Compare(installed)
	return of.Findings(), nil
}

// maintenance reads whether the site is closed.
func maintenance(ctx context.Context, s *site) ([]stage.ActionFinding, error) {
	on, err := s.setting(ctx, "maintenance_enabled")
	if err != nil {
		return nil, err
	}
	file := false
	if s.DataRoot != "" {
		_, err := os.Stat(filepath.Join(s.DataRoot, "climaintenance.html"))
		file = err == nil
	}
	return check.Maintenance(on != "" && on != "0", file), nil
}
