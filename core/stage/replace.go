package stage

import "fmt"

// Replace says how a sink treats what the target already holds.
type Replace string

// The replace modes. With ReplaceNothing and ReplaceSwap the target stays as it was if
// anything fails before Publish begins, or if the process dies before Publish has
// completed.
const (
	// ReplaceNothing refuses a target that holds a site.
	ReplaceNothing Replace = ""
	// ReplaceSwap builds, finishes and proves the new site next to the old one. Publish
	// exchanges the two in one step.
	ReplaceSwap Replace = "swap"
	// ReplaceInPlace removes the old site in Begin, for targets without room for two. After
	// a later failure there is no site.
	ReplaceInPlace Replace = "in_place"
)

// ParseReplace parses the setting replace: false, true (the same as swap) or in_place.
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
