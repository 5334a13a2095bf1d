package stage

import (
	"fmt"
	"slices"
	"strings"
)

// Latest is the name of the newest snapshot.
const Latest = "latest"

// Choice names a snapshot, or those of a site, a pipeline and tags.
type Choice struct {
	Snapshot string // an ID, the beginning of one ID only, or Latest
	Site     string // only of this site, by identifier or name; "" for any
	Pipeline string // only of this pipeline; "" for any
	Tags     string // only with all of these tags, separated by commas; "" for any
}

func (c Choice) tags() []string {
	return strings.FieldsFunc(c.Tags, func(r rune) bool { return r == ',' })
}

// Matches reports whether a snapshot is of the site and the pipeline, and has the
// tags. It does not look at c.Snapshot.
func (c Choice) Matches(s *Snapshot) bool {
	return (c.Pipeline == "" || c.Pipeline == s.Pipeline) &&
		(c.Site == "" || c.Site == s.Site || c.Site == s.SiteName) &&
		!slices.ContainsFunc(c.tags(), func(tag string) bool { return !slices.Contains(s.Tags, tag) })
}

// String names what Matches wants; "" for a Choice that matches everything.
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
