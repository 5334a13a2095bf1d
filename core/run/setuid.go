package run

import (
	"fmt"
	"sync"

	"github.com/lmsvault/vault/core/stage"
)

// setuid counts files with a setuid or setgid bit. A site has none on purpose, and
// sinks of files drop the bits unless told to keep them. It is safe for concurrent
// use.
type setuid struct {
	mu    sync.Mutex
	count int64
	first string // path of the first by name
}

func (s *setuid) see(e stage.Entry) {
	if e.Kind != stage.File || e.Mode&0o6000 == 0 {
		return
	}
	s.add(1, e.Path)
}

// merge adds the counts of o, which must no longer be in use.
func (s *setuid) merge(o *setuid) {
	if o.count > 0 {
		s.add(o.count, o.first)
	}
}

func (s *setuid) add(count int64, first string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count += count; s.first == "" || first < s.first {
		s.first = first
	}
}

// notes reports how many there are.
func (s *setuid) notes() []stage.Note {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count == 0 {
		return nil
	}
	return []stage.Note{{Path: s.first, Text: fmt.Sprintf(
		"files with a setuid or setgid bit: %d, such as this one; a restore removes these bits unless its sink says owner: keep or keep_setuid: true", s.count)}}
}
