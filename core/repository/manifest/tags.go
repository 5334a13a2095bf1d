package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// maxTag is the length of a tag in bytes.
const maxTag = 100

// ValidateTag checks a tag: at most 100 bytes without commas, control characters
// or spaces at either end.
func ValidateTag(tag string) error {
	switch {
	case tag == "":
		return errors.New("a tag is empty")
	case len(tag) > maxTag:
		return fmt.Errorf("tag %.20q… is longer than %d bytes", tag, maxTag)
	case strings.TrimSpace(tag) != tag, strings.ContainsRune(tag, ','), strings.ContainsFunc(tag, unicode.IsControl):
		return fmt.Errorf("tag %q must have no commas, no control characters, and no spaces at either end", tag)
	}
	return nil
}

func SortedTags(tags []string) []string {
	sorted := slices.Clone(tags)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
