package check

import (
	"slices"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/stage"
)

// ToolVault is the check that the plugin tool_vault is not at work.
func ToolVault() Check {
	return Check{
		ID: "tool-vault", Title: "Operations of tool_vault", Levels: []stage.Level{stage.LevelOK, stage.LevelNote, stage.LevelWarning, stage.LevelFail},
		Doc: `Looks for a backup or a restore by the plugin tool_vault that is scheduled or in progress. A restore in progress
**fails**, because it replaces the tables while they are read. A backup in progress is a **warning**: it makes both slower.
An operation that has logged nothing for 30 minutes has probably died and is a **note**.`,
		Remedy: `wait until the operation ends, or cancel it on its page in Moodle.`,
	}
}

// Operation is an operation of tool_vault that has not ended.
type Operation struct {
	Type     string // backup, restore, restoredryrun …
	Started  bool   // in progress, not only scheduled
	Modified time.Time
}

// dead is after how long without a sign of life tool_vault takes an operation for dead.
const dead = 30 * time.Minute

// Operations returns the findings of the check ToolVault.
func Operations(list []Operation, now time.Time) []stage.ActionFinding {
	c := ToolVault()
	var found []stage.ActionFinding
	for _, o := range list {
		level, state := stage.LevelWarning, "is in progress"
		switch {
		case !o.Started:
			level, state = stage.LevelWarning, "is scheduled"
		case now.Sub(o.Modified) > dead:
			level, state = stage.LevelNote, "is marked as in progress but has probably died"
		case o.Type == "restore":
			level = stage.LevelFail
		}
		f := c.Finding(level, "the operation %s of tool_vault %s, last active at %s", o.Type, state, clock(o.Modified))
		if f.Where = "tool_vault_operation"; level != stage.LevelNote {
			f.Remedy = "wait until it ends, or cancel it on its page in Moodle"
		}
		found = append(found, f)
	}
	return found
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// RunningTasks is the check for tasks of Moodle that run now.
func RunningTasks() Check {
	return Check{
		ID: "running-tasks", Title: "Running tasks", Levels: []stage.Level{stage.LevelOK, stage.LevelNote},
		Doc: `Lists the scheduled and ad hoc tasks that are marked as running. The tables are read at one point in time, but files
that a task adds or removes while they are read may be missing from the backup, or be unused in it. Moodle before 3.9 does
not record running tasks.`,
		Remedy: `nothing; for a backup without tasks, put the site into maintenance mode first.`,
	}
}

// Task is a task that is marked as running.
type Task struct {
	Class   string
	AdHoc   bool
	Started time.Time
}

// Tasks returns the findings of the check RunningTasks.
func Tasks(list []Task) []stage.ActionFinding {
	if len(list) == 0 {
		return nil
	}
	var lines []string
	for _, t := range list {
		kind := "scheduled"
		if t.AdHoc {
			kind = "ad hoc"
		}
		lines = append(lines, t.Class+" ("+kind+"), since "+clock(t.Started))
	}
	slices.Sort(lines)
	f := RunningTasks().Finding(stage.LevelNote, "%d tasks of Moodle are running", len(list))
	if len(list) == 1 {
		f.What = "1 task of Moodle is running"
	}
	f.Details = Lines(lines)
	return []stage.ActionFinding{f}
}

// Upgrade is the check that no upgrade is running or due.
func Upgrade() Check {
	return Check{
		ID: "upgrade", Title: "Upgrades", Levels: []stage.Level{stage.LevelOK, stage.LevelNote, stage.LevelWarning, stage.LevelFail},
		Doc: `Looks for an upgrade of Moodle that is running, which **fails**, or that was interrupted, and compares the versions
of the code with those in the database. Code that is newer or older than the database is a **warning**: the backup is
complete, but the restored site needs code of the version in the database, or an upgrade. Plugins whose code is missing
are a **note**.`,
		Remedy: `finish the upgrade with admin/cli/upgrade.php, then back up.`,
	}
}

// UpgradeState is what Upgrade examines.
type UpgradeState struct {
	// Running is until when an upgrade claims to be running; zero if there is none.
	Running time.Time
	States  []component.State // differences between code and database
	Now     time.Time
}

// Findings returns the findings of the check Upgrade.
func (u UpgradeState) Findings() []stage.ActionFinding {
	c := Upgrade()
	var found []stage.ActionFinding
	if !u.Running.IsZero() {
		f := c.Finding(stage.LevelWarning, "an upgrade did not finish; it was running until %s", clock(u.Running))
		f.Remedy = "run admin/cli/upgrade.php"
		if u.Running.After(u.Now) {
			f = c.Finding(stage.LevelFail, "an upgrade is running")
			f.Remedy = "wait until it ends; if it has died, run admin/cli/upgrade.php, or delete the setting upgraderunning from the table config"
		}
		f.Where = "upgraderunning"
		found = append(found, f)
	}
	lists := map[component.Change][]string{}
	for _, s := range u.States {
		text := s.Component
		switch s.Change {
		case component.Upgrade, component.Lower:
			text += ": code " + s.Code.String() + ", database " + s.Database.String()
		}
		lists[s.Change] = append(lists[s.Change], text)
	}
	for _, of := range []struct {
		change component.Change
		level  stage.Level
		what   string
		remedy string
	}{
		{component.Lower, stage.LevelWarning, "code older than the database", "restore the newer code"},
		{component.Upgrade, stage.LevelWarning, "code newer than the database: an upgrade is due", "run admin/cli/upgrade.php"},
		{component.Extra, stage.LevelNote, "code that is not installed in the database", ""},
		{component.Missing, stage.LevelNote, "no code, but are installed in the database", "restore the code of the plugins, or uninstall them"},
		{component.Unknown, stage.LevelNote, "code of an unknown version", ""},
	} {
		list := lists[of.change]
		if len(list) == 0 {
			continue
		}
		if list[0] == component.Core || strings.HasPrefix(list[0], component.Core+":") {
			f := c.Finding(of.level, "Moodle itself has %s", of.what)
			f.Where, f.Remedy, f.Details = component.Core, of.remedy, list[0]
			if found, list = append(found, f), list[1:]; len(list) == 0 {
				continue
			}
		}
		f := c.Finding(of.level, "%d plugins have %s", len(list), of.what)
		if len(list) == 1 {
			f.What = strings.Replace("1 plugin has "+of.what, "but are", "but is", 1)
		}
		f.Where, f.Remedy, f.Details = "plugins-"+string(of.change), of.remedy, Lines(list)
		found = append(found, f)
	}
	return found
}

// MaintenanceMode is the check for maintenance mode.
func MaintenanceMode() Check {
	return Check{
		ID: "maintenance-mode", Title: "Maintenance mode", Levels: []stage.Level{stage.LevelOK, stage.LevelNote},
		Doc: `Shows whether the site is closed to visitors: by the setting maintenance_enabled, which is part of the backup, so
that a restored site is closed, too; or by the file climaintenance.html in the data root, which is not.`,
		Remedy: `nothing, or end maintenance mode with ` + "`php admin/cli/maintenance.php --disable`" + `.`,
	}
}

// Maintenance returns the findings of the check MaintenanceMode.
func Maintenance(setting, file bool) []stage.ActionFinding {
	c := MaintenanceMode()
	var found []stage.ActionFinding
	if setting {
		f := c.Finding(stage.LevelNote, "the site is in maintenance mode; a site restored from this backup will be, too")
		f.Where = "maintenance_enabled"
		found = append(found, f)
	}
	if file {
		f := c.Finding(stage.LevelNote, "the site is closed by climaintenance.html, which is not part of the backup")
		f.Where = "climaintenance.html"
		found = append(found, f)
	}
	return found
}
