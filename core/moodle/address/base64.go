package address

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// minText is the length from which a text narrows a search.
const minText = 3

// codedTexts returns texts of which base64 of everything with the host has one, and those
// of base64 of that.
func codedTexts(host string) []string {
	once := coded(host)
	all := slices.Clone(once)
	for _, text := range once {
		all = append(all, coded(text)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// coded returns, for each of the three ways in which bytes of a text may begin in base64,
// the longest part that does not depend on what is around it and has no character that
// JSON or an address spell differently.
func coded(text string) []string {
	var all []string
	for skip := range 3 {
		// The first and the last character may have bits of other bytes.
		raw := base64.RawStdEncoding.EncodeToString(append(make([]byte, skip), text...))
		first, last := (skip*8+5)/6, (skip+len(text))*8/6
		longest := ""
		for _, part := range strings.FieldsFunc(raw[min(first, last):last], func(c rune) bool { return c == '+' || c == '/' }) {
			if len(part) > len(longest) {
				longest = part
			}
		}
		all = append(all, longest)
	}
	return all
}

// base64 returns the changes of base64 in a text.
func (r *Replacer) base64(s string, depth int) ([]change, error) {
	var changes []change
	done := map[int]bool{} // starts of runs
	for _, text := range r.coded {
		if text == "" {
			continue
		}
		for at := 0; ; {
			i := strings.Index(s[at:], text)
			if i < 0 {
				break
			}
			from, to := run(s, at+i)
			at = to
			if done[from] {
				continue
			}
			done[from] = true
			c, err := r.coding(s, from, to, depth)
			if err != nil {
				return nil, err
			}
			changes = append(changes, c...)
		}
	}
	return changes, nil
}

// run returns the bounds of the characters of base64 around a position.
func run(s string, at int) (from, to int) {
	for from = at; from > 0 && alphabet(s[from-1]); from-- {
	}
	for to = at; to < len(s) && alphabet(s[to]); to++ {
	}
	for n := 0; n < 2 && to < len(s) && s[to] == '='; n++ {
		to++
	}
	return from, to
}

func alphabet(c byte) bool { return word(c) && c != '-' && c != '_' || c == '+' || c == '/' }

// coding returns the change of base64 between two positions, if it has the address.
func (r *Replacer) coding(s string, from, to, depth int) ([]change, error) {
	run := s[from:to]
	encoding := base64.StdEncoding.Strict()
	raw, err := encoding.DecodeString(run)
	if err != nil {
		if len(r.plain(lenient(run))) > 0 {
			return nil, errors.New("the address is in base64 that can't be read")
		}
		return nil, nil
	}
	decoded := string(raw)
	changes, err := r.scan(decoded, depth+1)
	switch {
	case err != nil:
		return nil, err
	case len(changes) == 0:
		return nil, nil
	case !utf8.ValidString(decoded) && !serializedLooking(decoded):
		return nil, errors.New("the address is in base64 of binary data")
	case from > 0 && joins(s[from-1]), to < len(s) && (joins(s[to]) || s[to] == '%'):
		return nil, errors.New("the address is in base64 that is part of something longer, such as a signed token")
	}
	return []change{{from, to, encoding.EncodeToString([]byte(apply(decoded, changes)))}}, nil
}

// joins reports whether a byte before or after base64 makes it part of something longer.
func joins(c byte) bool { return c == '-' || c == '_' || c == '.' || c == '\\' }

// lenient decodes base64 that is cut off or misplaced, as far as it goes, in each way in
// which its bytes may begin.
func lenient(run string) string {
	run = strings.TrimRight(run, "=")
	var all []string
	for skip := range min(4, len(run)) {
		part := run[skip:]
		if len(part)%4 == 1 {
			part = part[:len(part)-1]
		}
		if raw, err := base64.RawStdEncoding.DecodeString(part); err == nil {
			all = append(all, string(raw))
		}
	}
	return strings.Join(all, " ")
}
