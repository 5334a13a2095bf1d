package filetree

import (
	"slices"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/maintenance"
	"github.com/lmsvault/vault/core/stage"
)

// take stores what a plan says about the target's contents. Paths to preserve are
// relative to the directory.
func (s *Sink) take(p *stage.Plan) error {
	for _, path := range p.Preserve {
		if err := CheckPath(path); err != nil {
			return failure.New(failure.Refused, "preserve: %w; write it relative to %s", err, s.dir)
		}
	}
	s.replace, s.preserve = p.Replace, p.Preserve
	return nil
}

// preserved reports whether a path stays unchanged in the target.
func (s *Sink) preserved(path string) bool {
	return slices.ContainsFunc(s.preserve, func(p string) bool { return Within(path, p) })
}

// preservedNotes notes each preserved path.
func (s *Sink) preservedNotes() (notes []stage.Note) {
	for _, path := range s.preserve {
		notes = append(notes, stage.Note{Path: s.layout.Part + "/" + path,
			Text: "preserved: stays unchanged in the target; the source's entries there are not written"})
	}
	return notes
}

// holds reports whether an entry is written: false skips it, an error forbids it.
func (s *Sink) holds(path string) (bool, error) {
	if s.preserved(path) {
		return false, nil
	}
	if s.layout.Closes && path == maintenance.FileName {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.closing = true
		return false, nil
	}
	return s.layout.Holds(path)
}

// keeping says what happens to an existing entry when the target is replaced.
func (s *Sink) keeping(path string) Keeping {
	switch path {
	case MarkerName, SwapName, moodle.LostFound:
		return Keep
	case RestoredName:
		if s.layout.Marks {
			return Keep
		}
		return Remove
	}
	if s.layout.Keeping(path) == Keep || s.preserved(path) {
		return Keep
	}
	if slices.ContainsFunc(s.preserve, func(p string) bool { return Within(p, path) }) {
		return Descend
	}
	return s.layout.Keeping(path)
}
