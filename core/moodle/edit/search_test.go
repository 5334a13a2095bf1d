package edit

import (
	"strings"
	"testing"
)

// The search finds the same texts as a plain one.
func FuzzSearch(f *testing.F) {
	f.Add("moodle.example.org", "tb29kbGUuZXhhb", "see http://moodle.example.org/")
	f.Add("aa", "aaa", "baab")
	f.Add("ab", strings.Repeat("x", 300), strings.Repeat("x", 301))
	f.Fuzz(func(t *testing.T, a, b, data string) {
		s := newSearch([]string{a, b})
		want := strings.Contains(data, a) || strings.Contains(data, b)
		if got := s.in(data); got != want && s != nil {
			t.Errorf("found %q or %q in %q: %v", a, b, data, got)
		}
	})
}
