package protocol

import "golang.org/x/mod/semver"

// maxVersion is the maximum length of a plugin's version, in bytes.
const maxVersion = 64

// GoodVersion reports whether v is a valid version of a plugin: a semantic version such as
// 1.2.3 or 1.2.3-rc.1, without build metadata, which has no order.
func GoodVersion(v string) bool {
	return len(v) <= maxVersion && semver.Canonical("v"+v) == "v"+v
}

// CompareVersions compares two valid versions as defined in section 11 of semver.org. The
// result is negative if a is older than b.
func CompareVersions(a, b string) int { return semver.Compare("v"+a, "v"+b) }
