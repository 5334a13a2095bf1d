package checkbackup

import "github.com/lmsvault/vault/core/moodle/check"

// steps lists all checks.
func steps() []check.Step[*site] {
	return []check.Step[*site]{
		{Check: check.Environment(), Run: environment},
		{Check: check.DatabaseServer(), Run: server},
		{Check: check.DatabaseRights(), Run: rights},
		{Check: check.Upgrade(), Run: upgrade},
		{Check: check.MaintenanceMode(), Run: maintenance},
		{Check: check.ToolVault(), Run: operations},
		{Check: check.RunningTasks(), Run: tasks},
		{Check: check.DatabaseModifications(), Run: modifications},
		{Check: check.NotTransactional(), Run: engines},
		{Check: check.LargeRows(), Run: largeRows},
		{Check: check.ConfigOverrides(), Run: overrides},
		{Check: check.UnreadablePaths(), Run: unreadable},
		{Check: check.MissingFiles(), Run: missingFiles},
		{Check: check.WrongFiles(), Run: wrongFiles},
		{Check: check.SiteSize(), Run: size},
		{Check: check.DiskSpace(), Run: diskSpace},
	}
}
