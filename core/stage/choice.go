package stage

import (
	"fmt"
	"slices"
	"strings"
)

// Latest is the name of the newest snapshot.
const Latest = "latest"

// Choice selects a snapshot, or filters snapshots by site, pipeline and tags.
type Choice struct {
	Snapshot string // an ID, an unambiguous prefix of one, or Latest
	Site     string // identifier or name of the site; "" for any
	Pipeline string // "" for any
	Tags     string // tags separated by commas, all of which must be set; "" for any
}

func (c Choice) tags() []string {
	return strings.FieldsFunc(c.Tags, func(r rune) bool { return r == ',' })
}

// Matches reports whether s is of the site and pipeline and has all the tags. It ignores
// c.Snapshot.
func (c Choice) Matches(s *Snapshot) bool {
	return (c.Pipeline == "" || c.Pipeline == s.Pipeline) &&
		(c.Site == "" || c.Site == s.Site || c.Site == s.SiteName) &&
		!slices.ContainsFunc(c.tags(), func(tag string) bool { return !slices.Contains(s.Tags, tag) })
}

// String describes the filter for messages; it is "" if every snapshot matches.
func (c Choice) String() string {
	var words []string
	if c.Site != "" {
		words = append(words, fmt.Sprintf("site %q", c.Site))
	}
	if c.Pipeline != "" {
		words = append(words, fmt.Sprintf("pipeline %q", c.Pipeline))
	}
	for _, tag := range c.tags() {
		words = append(words, fmt.Sprintf("tag %q", tag))
	}
	return strings.Join(words, " and ")
}
