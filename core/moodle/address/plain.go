package address

import (
	"strconv"
	"strings"
)

// spelling is how a text writes slashes and colons.
type spelling struct{ slash, colon string }

// spellings are those besides the plain one and backslashes before slashes.
var spellings = []spelling{
	{"%252F", "%253A"}, {"%252f", "%253a"}, // in an address in an address
	{"%2F", "%3A"}, {"%2f", "%3a"},
	{"&#47;", "&#58;"}, {"&#x2F;", "&#x3A;"}, {"&#x2f;", "&#x3a;"},
}

// before returns how the slash at the end of s is written.
func before(s string) (spelling, bool) {
	if rest, ok := strings.CutSuffix(s, "/"); ok {
		return spelling{s[len(strings.TrimRight(rest, `\`)):], ":"}, true
	}
	for _, w := range spellings {
		if strings.HasSuffix(s, w.slash) {
			return w, true
		}
	}
	return spelling{}, false
}

// plain returns the changes of the addresses in a text.
func (r *Replacer) plain(s string) []change {
	var changes []change
	for at := 0; ; {
		i := strings.Index(s[at:], r.from.Host)
		if i < 0 {
			return changes
		}
		i += at
		c, ok := r.at(s, i)
		at = i + 1
		if !ok {
			continue
		}
		at = c.to
		if c.text != s[c.from:c.to] {
			changes = append(changes, c)
		}
	}
}

// at returns the change of the address whose host begins at i.
func (r *Replacer) at(s string, i int) (change, bool) {
	w, ok := before(s[:i])
	if !ok {
		return change{}, false
	}
	start, ok := strings.CutSuffix(s[:i-len(w.slash)], w.slash)
	if !ok {
		return change{}, false
	}
	from, scheme, colon := len(start), "", w.colon
	for _, c := range []string{w.colon, ":"} {
		rest, ok := strings.CutSuffix(start, c)
		if !ok {
			continue
		}
		for _, name := range r.schemes {
			if strings.HasSuffix(rest, name) {
				from, scheme, colon = len(rest)-len(name), r.to.Scheme+c, c
			}
		}
		if scheme == "" {
			return change{}, false // of another scheme
		}
		break
	}
	if scheme == "" && !opens(start) {
		return change{}, false
	}
	old := r.from.relative(w.slash, colon)
	if !strings.HasPrefix(s[len(start):], old) {
		return change{}, false
	}
	c := change{from, len(start) + len(old), scheme + r.to.relative(w.slash, colon)}
	if !ends(s[c.to:]) {
		return change{}, false
	}
	if len(c.text) > c.to-c.from && strings.HasPrefix(s[from:], c.text) && ends(s[from+len(c.text):]) {
		return change{from, from + len(c.text), c.text}, true // it is the new address already
	}
	return c, true
}

// ends reports whether an address may end before rest.
func ends(rest string) bool {
	c, rest := next(rest)
	switch {
	case word(c) || c == '@' || c == '~':
		return false
	case c == '.':
		c, _ := next(rest)
		return !word(c)
	case c == ':':
		c, _ := next(rest)
		return c < '0' || c > '9'
	}
	return true
}

// opens reports whether an address without its scheme may begin after a text.
func opens(s string) bool {
	n := len(s)
	if n == 0 {
		return true
	}
	c := s[n-1]
	switch {
	case n >= 2 && s[n-2] == '\\' && strings.IndexByte("nrt", c) >= 0:
		return true // a line break or tab in JSON
	case n >= 3 && s[n-3] == '%':
		if d, _ := next(s[n-3:]); d != '%' {
			c = d
		}
	}
	return !word(c) && strings.IndexByte(`./\:%@~#+`, c) < 0
}

// next returns the first byte of a text, which may be percent-encoded or an HTML entity,
// and the rest; 0 for none.
func next(s string) (byte, string) {
	if s == "" {
		return 0, ""
	}
	for _, prefix := range []string{"%25", "%"} {
		if rest, ok := strings.CutPrefix(s, prefix); ok && len(rest) >= 2 {
			if n, err := strconv.ParseUint(rest[:2], 16, 8); err == nil {
				return byte(n), rest[2:]
			}
		}
	}
	if end := strings.IndexByte(s[:min(len(s), 8)], ';'); end > 0 && strings.HasPrefix(s, "&#") {
		number, base := s[2:end], 10
		if hex := strings.TrimLeft(number, "xX"); hex != number {
			number, base = hex, 16
		}
		if n, err := strconv.ParseUint(number, base, 7); err == nil {
			return byte(n), s[end+1:]
		}
	}
	return s[0], s[1:]
}

// word reports whether a byte continues a host name or a name in a path.
func word(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}
