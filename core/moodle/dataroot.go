package moodle

import (
	"slices"
	"strings"
)

// Exclusion is a name directly below the data root that backups exclude.
type Exclusion struct {
	Name     string
	Why      string
	Optional bool // a pipeline may include it
}

// FiledirName is the directory of the file pool below the data root. It is a part of
// its own.
const FiledirName = "filedir"

// DataRootExclusions lists the excluded names directly below the data root. Names
// that start with a dot are always excluded as well. climaintenance.html is excluded
// because it closes a site for visitors.
var DataRootExclusions = [...]Exclusion{
	{Name: FiledirName, Why: "the source files reads it"},
	{Name: LostFound, Why: "belongs to the file system"},
	{Name: "cache", Why: "Moodle recreates it"},
	{Name: "localcache", Why: "Moodle recreates it"},
	{Name: "temp", Why: "temporary files"},
	{Name: "sessions", Why: "sessions of logged-in users"},
	{Name: "trashdir", Why: "deleted files"},
	{Name: "lock", Why: "locks of running processes"},
	{Name: "__vault_restore__", Why: "working files of a restore with tool_vault"},
	{Name: "climaintenance.html", Why: "would close the restored site for visitors"},
	{Name: "phpunit", Why: "left over from tests"},
	{Name: "behat", Why: "left over from tests"},
	{Name: "phpunittestdir.txt", Why: "left over from tests"},
	{Name: "behattestdir.txt", Why: "left over from tests"},
	{Name: "originaldatafiles.json", Why: "left over from tests"},
	{Name: "behat_dump", Why: "left over from tests"},
	{Name: "muc", Why: "the site's cache configuration belongs to its machine", Optional: true},
	{Name: "antivirus_quarantine", Why: "files quarantined by a virus scanner", Optional: true},
}

// Excluded reports whether a name directly below the data root is excluded, and why.
// include lists optional exclusions to include.
func Excluded(name string, include []string) (why string, excluded bool) {
	if strings.HasPrefix(name, ".") {
		return "hidden files belong to the machine", true
	}
	for _, x := range DataRootExclusions {
		if x.Name == name && !(x.Optional && slices.Contains(include, name)) {
			return x.Why, true
		}
	}
	return "", false
}

// Optional reports whether name is an exclusion that a pipeline may include.
func Optional(name string) bool {
	for _, x := range DataRootExclusions {
		if x.Name == name {
			return x.Optional
		}
	}
	return false
}
