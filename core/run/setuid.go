package run

import (
	"fmt"
	"sync"

	"github.com/lmsvault/vault/core/stage"
)

// setuid counts the files that came with a setuid or setgid bit. A site has none
// on purpose, and sinks of files leave the bits out unless they are told to keep
// them. Safe for concurrent use.
type setuid struct {
	mu    sync.Mutex
	count int64
	first string // path of one of them, the first by name
}

func (s *setuid) see(e stage.Entry) {
	if e.Kind != stage.File || e.Mode&0o6000 == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count++; s.first == "" || e.Path < s.first {
		s.first = e.Path
	}
}

// notes tells of them.
func (s *setuid) notes() []stage.Note {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count == 0 {
		return nil
	}
	return []stage.Note{{Path: s.first, Text: fmt.Sprintf(
		"files with a setuid or setgid bit: %d, such as this one; a restore removes these bits unless its sink says keep_setuid: true", s.count)}}
}
