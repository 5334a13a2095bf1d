// Package phpvalue reads values of PHP's serialize() for tests. It shares nothing with the
// reader that Vault uses, so that tests find errors there.
package phpvalue

import (
	"strconv"
	"strings"
)

// Valid reports whether s is exactly one serialized value.
func Valid(s string) bool { return size(s) == len(s) }

// size returns the length of the serialized value at the beginning of s, or -1 for none.
// It is a reader of its own, written only for the tests.
func size(s string) int {
	counted := func(at int, open byte) (n, next int) {
		end := strings.IndexByte(s[min(at, len(s)):], ':')
		if end < 0 {
			return -1, 0
		}
		n, err := strconv.Atoi(s[at : at+end])
		next = at + end + 2
		if err != nil || n < 0 || next > len(s) || s[next-1] != open {
			return -1, 0
		}
		return n, next
	}
	quoted := func(at int) int { // after the closing quote
		n, next := counted(at, '"')
		if n < 0 || next+n+1 > len(s) || s[next+n] != '"' {
			return -1
		}
		return next + n + 1
	}
	end := func(at int, with byte) int {
		if at < 0 || at >= len(s) || s[at] != with {
			return -1
		}
		return at + 1
	}
	if strings.HasPrefix(s, "N;") {
		return 2
	}
	if len(s) < 4 || s[1] != ':' {
		return -1
	}
	at := 2
	switch s[0] {
	case 'i', 'd', 'b', 'r', 'R':
		return strings.IndexByte(s, ';') + 1
	case 's':
		return end(quoted(at), ';')
	case 'E':
		return end(quoted(at), ';')
	case 'C':
		if at = end(quoted(at), ':'); at < 0 {
			return -1
		}
		n, next := counted(at, '{')
		if n < 0 || next+n > len(s) {
			return -1
		}
		return end(next+n, '}')
	case 'O':
		if at = end(quoted(at), ':'); at < 0 {
			return -1
		}
	case 'a':
	default:
		return -1
	}
	n, next := counted(at, '{')
	if n < 0 || n > len(s) {
		return -1
	}
	for range 2 * n {
		n := size(s[next:])
		if n <= 0 {
			return -1
		}
		next += n
	}
	return end(next, '}')
}
