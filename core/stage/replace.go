package stage

import "fmt"

// Replace says what becomes of what a target holds already.
type Replace string

// The ways to treat what is there. Whatever fails before Publish has begun, and
// whenever the process dies before it has ended, ReplaceNothing and ReplaceSwap
// leave the target as it was.
const (
	// ReplaceNothing refuses a target that holds a site.
	ReplaceNothing Replace = ""
	// ReplaceSwap makes the new site beside the old one, finishes and proves it
	// there, and exchanges the two in Publish, in one step.
	ReplaceSwap Replace = "swap"
	// ReplaceInPlace removes the old site in Begin: for targets without room for
	// two. What fails afterwards leaves no site.
	ReplaceInPlace Replace = "in_place"
)

// ParseReplace reads the setting replace: false, true (which is swap) or in_place.
func ParseReplace(text string) (Replace, error) {
	switch text {
	case "", "false":
		return ReplaceNothing, nil
	case "true", string(ReplaceSwap):
		return ReplaceSwap, nil
	case string(ReplaceInPlace):
		return ReplaceInPlace, nil
	}
	return "", fmt.Errorf("replace is false, true or in_place")
}
