package edit

// search finds out whether data has one of several texts. It looks at pairs of bytes: the
// pair at the end of a window as long as the shortest text tells how far the window can
// move without missing one, so most bytes are never looked at.
type search struct {
	texts  []string
	window int
	skip   []uint8          // by pair: how far to move; 0 if a text may be here
	ending map[uint16][]int // texts whose first window bytes end with the pair
}

// newSearch returns a search for texts, or nil if it would not narrow anything.
func newSearch(texts []string) *search {
	if len(texts) == 0 {
		return nil
	}
	s := &search{texts: texts, window: len(texts[0]), ending: map[uint16][]int{}}
	for _, text := range texts {
		for i := range len(text) {
			if text[i] < ' ' || text[i] > '~' || text[i] == '\\' {
				return nil // may be written differently in a row
			}
		}
		s.window = min(s.window, len(text), 255)
	}
	if s.window < 2 {
		return nil
	}
	s.skip = make([]uint8, 1<<16)
	for i := range s.skip {
		s.skip[i] = uint8(s.window - 1)
	}
	for n, text := range texts {
		for i := 1; i < s.window; i++ {
			pair := uint16(text[i-1])<<8 | uint16(text[i])
			s.skip[pair] = min(s.skip[pair], uint8(s.window-1-i))
			if i == s.window-1 {
				s.ending[pair] = append(s.ending[pair], n)
			}
		}
	}
	return s
}

// in reports whether data has one of the texts. Without a search, it may.
func (s *search) in(data string) bool {
	if s == nil {
		return true
	}
	for i := s.window - 1; i < len(data); {
		pair := uint16(data[i-1])<<8 | uint16(data[i])
		if far := s.skip[pair]; far > 0 {
			i += int(far)
			continue
		}
		start := i - s.window + 1
		for _, n := range s.ending[pair] {
			if text := s.texts[n]; len(data)-start >= len(text) && data[start:start+len(text)] == text {
				return true
			}
		}
		i++
	}
	return false
}
