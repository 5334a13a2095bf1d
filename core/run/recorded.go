package run

import (
	"path"
	"strings"

	"github.com/lmsvault/vault/core/stage"
)

// recorded is what the source's snapshot lists as lost when it was made. It
// keeps the run from counting the same twice.
type recorded struct {
	paths  map[string]bool
	parts  map[string]bool  // that were missing
	groups map[string]int64 // missing files that are not named, by part
}

func newRecorded() recorded {
	return recorded{paths: map[string]bool{}, parts: map[string]bool{}, groups: map[string]int64{}}
}

// whenRecorded begins the reason of a recorded loss.
const whenRecorded = "recorded when the snapshot was made: "

// add enters a loss and returns it as a loss of this run.
func (r recorded) add(l stage.Loss) stage.Loss {
	switch {
	case l.Kind == stage.LossPart: // what is missing in it is listed besides
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

// covers tells whether a file that is missing is, or lies in, what was recorded.
// A group covers as many files as it counts.
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

// partOf returns the part that a path is in.
func partOf(path string) string {
	part, _, _ := strings.Cut(path, "/")
	return part
}
