package run

import (
	"path"
	"strings"

	"github.com/lmsvault/vault/core/stage"
)

// recorded holds the losses listed in the source's snapshot, so that a run does not
// count them twice.
type recorded struct {
	paths  map[string]bool
	parts  map[string]bool  // missing parts
	groups map[string]int64 // number of missing files that are not listed individually, by part
}

func newRecorded() recorded {
	return recorded{paths: map[string]bool{}, parts: map[string]bool{}, groups: map[string]int64{}}
}

// whenRecorded is the prefix of the reason of a recorded loss.
const whenRecorded = "recorded when the snapshot was made: "

// add records a loss of the snapshot and returns it as a loss of this run.
func (r recorded) add(l stage.Loss) stage.Loss {
	switch {
	case l.Kind == stage.LossPart: // what it lacks is listed separately
		r.parts[l.Path] = true
	case l.Where != unnamed:
		r.paths[l.Path] = true
	case l.Kind != stage.LossCorrupt: // a corrupt file is in the snapshot
		r.groups[l.Path] += l.Count
	}
	if !strings.HasPrefix(l.Reason, whenRecorded) {
		l.Reason = whenRecorded + l.Reason
	}
	return l
}

// covers reports whether a missing file was recorded, itself or by a parent. A group
// covers as many files as it counts.
func (r recorded) covers(file string) bool {
	for p := file; p != path.Dir(p); p = path.Dir(p) {
		if r.paths[p] {
			return true
		}
	}
	part := partOf(file)
	if r.groups[part] > 0 {
		r.groups[part]--
		return true
	}
	return false
}

// partOf returns the part of a path.
func partOf(path string) string {
	part, _, _ := strings.Cut(path, "/")
	return part
}
