package lockfile

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// goodVersion is a version of semver.org without build metadata: of two that
// differ in these, neither is the newer one.
var goodVersion = regexp.MustCompile(`^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?$`)

// compareVersions orders two good versions, as section 11 of semver.org says.
func compareVersions(a, b string) int {
	coreA, preA, _ := strings.Cut(a, "-")
	coreB, preB, _ := strings.Cut(b, "-")
	if c := compareParts(coreA, coreB); c != 0 {
		return c
	}
	switch {
	case preA == preB:
		return 0
	case preA == "":
		return 1
	case preB == "":
		return -1
	}
	return compareParts(preA, preB)
}

func compareParts(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		nx, ny := isNumber(x), isNumber(y)
		switch {
		case nx && ny: // of any length, without leading zeros
			return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
		case nx:
			return -1
		case ny:
			return 1
		}
		return strings.Compare(x, y)
	})
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }
