package protocol

import "golang.org/x/mod/semver"

// maxVersion is how many bytes the version of a plugin has at most.
const maxVersion = 64

// GoodVersion tells whether a plugin may have this version: 1.2.3 or 1.2.3-rc.1, as
// semver.org has it, without build metadata, of which none is newer than another.
func GoodVersion(v string) bool {
	return len(v) <= maxVersion && semver.Canonical("v"+v) == "v"+v
}

// CompareVersions orders two good versions by section 11 of semver.org: it is below
// 0 where a is older than b.
func CompareVersions(a, b string) int { return semver.Compare("v"+a, "v"+b) }
