package address

import (
	"errors"
	"strings"
)

// maxDepth is how deeply values may be nested in each other.
const maxDepth = 8

// Replacer replaces one address by another. It is safe for concurrent use.
type Replacer struct {
	from, to Address
	schemes  []string // that from may have
	coded    []string // parts of the base64 of from's host
}

// NewReplacer returns a Replacer from one address to another. With otherScheme, it replaces
// from with http and with https.
func NewReplacer(from, to Address, otherScheme bool) *Replacer {
	r := &Replacer{from: from, to: to, schemes: []string{from.Scheme}, coded: codedTexts(from.Host)}
	if otherScheme {
		r.schemes = []string{"https", "http"}
	}
	return r
}

// Replace returns a value with the address replaced, and the value itself if the address
// isn't there. An error says why the value, in which the address is, must be left as it is.
//
// The address ends where it is not followed by more of a host name, a port or a name in a
// path. Upper and lower case differ. Where the new address begins with the old one, an
// address that is the new one already stays as it is, so a value may be replaced twice.
func (r *Replacer) Replace(value string) (string, error) {
	changes, err := r.scan(value, 0)
	if err != nil {
		return value, err
	}
	return apply(value, changes), nil
}

// Texts returns texts of which every value that Replace changes or leaves has at least
// one. None means that there is no such list.
func (r *Replacer) Texts() []string {
	if len(r.from.Host) < minText {
		return nil
	}
	for _, text := range r.coded {
		if len(text) < minText {
			return nil
		}
	}
	return append([]string{r.from.Host}, r.coded...)
}

// idle reports whether there is nothing to replace.
func (r *Replacer) idle() bool { return len(r.schemes) == 1 && r.from.String() == r.to.String() }

// may reports whether the address may be in a text.
func (r *Replacer) may(s string) bool {
	if strings.Contains(s, r.from.Host) {
		return true
	}
	for _, text := range r.coded {
		if strings.Contains(s, text) {
			return true
		}
	}
	return false
}

// scan returns the changes of a value at a depth of nesting.
func (r *Replacer) scan(s string, depth int) ([]change, error) {
	switch {
	case !r.may(s):
		return nil, nil
	case depth > maxDepth:
		return nil, errors.New("the values in it are nested too deeply")
	}
	if serializedLooking(s) {
		values, err := readSerialized(s)
		if err == nil {
			return r.serialized(s, values, depth)
		}
		if changes, bad := r.text(s, depth); bad != nil || len(changes) > 0 {
			return nil, errors.New("it looks like a value of PHP's serialize(), but can't be read as one: " + err.Error())
		}
		return nil, nil
	}
	if strs, ok := jsonStrings(s); ok {
		return r.json(s, strs, depth)
	}
	return r.text(s, depth)
}

// text returns the changes of a text without a structure that is known.
func (r *Replacer) text(s string, depth int) ([]change, error) {
	coded, err := r.base64(s, depth)
	if err != nil {
		return nil, err
	}
	changes, err := arrange(append(r.plain(s), coded...))
	if err == nil && insideSerialized(s, changes) {
		err = errors.New("the address is in a value of PHP's serialize() inside another text")
	}
	return changes, err
}
