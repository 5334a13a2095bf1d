package config

import "fmt"

// Nearest returns a suggestion for a misspelled word, as `did you mean "codec"?`, or "" if
// no name is similar.
func Nearest(word string, names []string) string {
	best, name := 2, "" // one mistake in a short word, a third of a long one
	if len(word) > 3 {
		best = max(2, len(word)/3) + 1
	}
	for _, n := range names {
		if d := distance(word, n); d < best {
			best, name = d, n
		}
	}
	if name == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", name)
}

// distance returns the number of insertions, deletions, replacements and swaps of adjacent
// bytes that turn a into b (optimal string alignment).
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	var rows [3][65]int
	before, last, this := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		this[0] = i
		for j := 1; j <= len(b); j++ {
			swap := 1
			if a[i-1] == b[j-1] {
				swap = 0
			}
			this[j] = min(last[j]+1, this[j-1]+1, last[j-1]+swap)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				this[j] = min(this[j], before[j-2]+1)
			}
		}
		before, last, this = last, this, before
	}
	return last[len(b)]
}
