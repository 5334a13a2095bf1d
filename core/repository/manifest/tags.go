package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// maxTag is the maximum length of a tag in bytes.
const maxTag = 100

// ValidateTag returns an error unless tag is a valid tag: 1 to 100 bytes, without commas,
// control characters, and spaces at either end.
func ValidateTag(tag string) error {
	switch {
	case tag == "":
		return errors.New("a tag is empty")
	case len(tag) > maxTag:
		return fmt.Errorf("tag %.20q… is longer than %d bytes", tag, maxTag)
	case strings.TrimSpace(tag) != tag, strings.ContainsRune(tag, ','), strings.ContainsFunc(tag, unicode.IsControl):
		return fmt.Errorf("tag %q must not contain commas or control characters, or begin or end with a space", tag)
	}
	return nil
}

// SortedTags returns the tags in order, without duplicates.
func SortedTags(tags []string) []string {
	sorted := slices.Clone(tags)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
