package moodle

import (
	"slices"
	"strings"
)

// Exclusion is a name directly below the data root that a backup leaves out.
type Exclusion struct {
	Name     string
	Why      string
	Optional bool // a user may have it included
}

// FiledirName is the file pool's folder below the data root; it is carried by a part of its own.
const FiledirName = "filedir"

// DataRootExclusions are the names below the data root that are left out, but
// for those that start with a dot, which all are. climaintenance.html is among
// them because it closes the site for visitors wherever it lies.
var DataRootExclusions = [...]Exclusion{
	{Name: FiledirName, Why: "the source files reads it"},
	{Name: LostFound, Why: "it belongs to the file system"},
	{Name: "cache", Why: "Moodle makes it again"},
	{Name: "localcache", Why: "Moodle makes it again"},
	{Name: "temp", Why: "temporary files"},
	{Name: "sessions", Why: "sessions of logged-in users"},
	{Name: "trashdir", Why: "deleted files"},
	{Name: "lock", Why: "locks of running processes"},
	{Name: "__vault_restore__", Why: "working files of a restore by the plugin tool_vault"},
	{Name: "climaintenance.html", Why: "it would close the restored site for visitors"},
	{Name: "phpunit", Why: "left over from tests"},
	{Name: "behat", Why: "left over from tests"},
	{Name: "phpunittestdir.txt", Why: "left over from tests"},
	{Name: "behattestdir.txt", Why: "left over from tests"},
	{Name: "originaldatafiles.json", Why: "left over from tests"},
	{Name: "behat_dump", Why: "left over from tests"},
	{Name: "muc", Why: "the site's cache configuration belongs to its machine", Optional: true},
	{Name: "antivirus_quarantine", Why: "files that a virus scanner took away", Optional: true},
}

// Excluded tells whether a name directly below the data root is left out, and why.
// include names optional exclusions that are wanted.
func Excluded(name string, include []string) (why string, excluded bool) {
	if strings.HasPrefix(name, ".") {
		return "names that start with a dot belong to the machine", true
	}
	for _, x := range DataRootExclusions {
		if x.Name == name && !(x.Optional && slices.Contains(include, name)) {
			return x.Why, true
		}
	}
	return "", false
}

// Optional tells whether name is an exclusion that a user may have included.
func Optional(name string) bool {
	for _, x := range DataRootExclusions {
		if x.Name == name {
			return x.Optional
		}
	}
	return false
}
