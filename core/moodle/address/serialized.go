package address

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// maxNesting is how deeply arrays and objects of one serialized value may be nested.
const maxNesting = 500

// serializedText is a text inside a value of PHP's serialize().
type serializedText struct {
	from, to          int  // its bytes
	digits, digitsEnd int  // those of its length
	container         int  // number of the array or object it is a key of; 0 for none
	custom            bool // what a class has written itself
}

var begins = regexp.MustCompile(`^(?:a:\d+:\{|[OCE]:\d+:"|s:\d+:")`)

// serializedLooking reports whether a value begins like one of serialize() that has texts.
func serializedLooking(s string) bool { return len(s) > 4 && s[1] == ':' && begins.MatchString(s) }

var beginsInside = regexp.MustCompile(`\b[sS]:(\d+):(?:(\\*)"|&quot;|%22)`)

// insideSerialized reports whether one of changes, which are in order, is, as far as can be
// told, in a string of a serialized value that is a part of the text.
func insideSerialized(s string, changes []change) bool {
	if len(changes) == 0 || !countsText(s) {
		return false
	}
	end := 0 // of the strings that begin before the change
	found := beginsInside.FindAllStringSubmatchIndex(s, -1)
	for _, c := range changes {
		for len(found) > 0 && found[0][1] <= c.from {
			m := found[0]
			found = found[1:]
			n, err := strconv.Atoi(s[m[2]:m[3]])
			if err != nil || n > len(s) {
				n = len(s)
			}
			if m[4] < 0 || m[5] > m[4] {
				n *= 6 // it may be longer by its escapes
			}
			end = max(end, m[1]+n)
		}
		if c.from < end {
			return true
		}
	}
	return false
}

// countsText reports whether a text has an s, a colon and a digit, which every serialized
// string begins with; few other texts do.
func countsText(s string) bool {
	for at := 0; ; at++ {
		i := strings.IndexByte(s[at:], ':')
		if i < 0 {
			return false
		}
		at += i
		if at > 0 && s[at-1]|0x20 == 's' && at+1 < len(s) && s[at+1] >= '0' && s[at+1] <= '9' {
			return true
		}
	}
}

// serialized returns the changes of a serialized value with texts.
func (r *Replacer) serialized(s string, texts []serializedText, depth int) ([]change, error) {
	var all []change
	keys := map[int]string{} // changed keys by their position in texts
	for i, t := range texts {
		content := s[t.from:t.to]
		changes, err := r.scan(content, depth+1)
		if err != nil {
			return nil, err
		}
		if len(changes) == 0 {
			continue
		}
		if t.custom {
			if _, err := readSerialized(content); err != nil {
				return nil, errors.New("the address is in an object of a class with its own serialize(), whose form is unknown")
			}
		}
		if t.container > 0 {
			keys[i] = apply(content, changes)
		}
		if grown := growth(changes); grown != 0 {
			all = append(all, change{t.digits, t.digitsEnd, strconv.Itoa(len(content) + grown)})
		}
		all = append(all, shift(changes, t.from)...)
	}
	if len(keys) > 0 && sameKeys(s, texts, keys) {
		return nil, errors.New("two keys of an array would become the same")
	}
	return all, nil
}

// sameKeys reports whether two keys of an array or object are the same when some have
// changed.
func sameKeys(s string, texts []serializedText, changed map[int]string) bool {
	type key struct {
		container int
		name      string
	}
	seen := map[key]bool{}
	for i, t := range texts {
		if t.container == 0 {
			continue
		}
		k := key{t.container, s[t.from:t.to]}
		if after, ok := changed[i]; ok {
			k.name = after
		}
		if seen[k] {
			return true
		}
		seen[k] = true
	}
	return false
}

// serializedReader reads a value of PHP's serialize() strictly.
type serializedReader struct {
	s          string
	at         int
	texts      []serializedText
	containers int
}

// readSerialized returns the texts of a serialized value in order. Names of classes are
// not among them.
func readSerialized(s string) ([]serializedText, error) {
	r := &serializedReader{s: s}
	if err := r.value(0); err != nil {
		return nil, fmt.Errorf("at byte %d: %w", r.at, err)
	}
	if r.at != len(s) {
		return nil, fmt.Errorf("at byte %d: more follows its end", r.at)
	}
	return r.texts, nil
}

var errSyntax = errors.New("it does not follow the syntax")

var scalar = regexp.MustCompile(`^(?:N;|b:[01];|[iRr]:[+-]?\d+;|d:(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|-?INF|NAN);)`)

func (r *serializedReader) value(depth int) error {
	if depth > maxNesting {
		return errors.New("it is nested too deeply")
	}
	rest := r.s[r.at:]
	if len(rest) < 2 || rest[1] != ':' && rest[0] != 'N' {
		return errSyntax
	}
	switch rest[0] {
	case 's':
		return r.text(0)
	case 'a':
		r.at += 2
		n, err := r.number(":{")
		if err != nil {
			return err
		}
		return r.members(n, depth)
	case 'O':
		if err := r.class(); err != nil {
			return err
		}
		n, err := r.number(":{")
		if err != nil {
			return err
		}
		return r.members(n, depth)
	case 'C':
		if err := r.class(); err != nil {
			return err
		}
		return r.custom()
	case 'E':
		if err := r.name(); err != nil {
			return err
		}
		return r.expect(";")
	}
	return r.scalar()
}

func (r *serializedReader) scalar() error {
	end := strings.IndexByte(r.s[r.at:], ';')
	if end < 0 || !scalar.MatchString(r.s[r.at:r.at+end+1]) {
		return errSyntax
	}
	r.at += end + 1
	return nil
}

// members reads n pairs of keys and values up to the closing brace.
func (r *serializedReader) members(n, depth int) error {
	r.containers++
	own := r.containers
	for range n {
		var err error
		switch rest := r.s[r.at:]; {
		case strings.HasPrefix(rest, "s:"):
			err = r.text(own)
		case strings.HasPrefix(rest, "i:"):
			err = r.scalar()
		default:
			err = errSyntax
		}
		if err != nil {
			return err
		}
		if err := r.value(depth + 1); err != nil {
			return err
		}
	}
	return r.expect("}")
}

// text reads a string; container is that of a key.
func (r *serializedReader) text(container int) error {
	r.at += 2
	t := serializedText{digits: r.at, container: container}
	n, err := r.number(`:"`)
	if err != nil {
		return err
	}
	t.digitsEnd, t.from = r.at-2, r.at
	if n > len(r.s)-r.at {
		return errSyntax
	}
	r.at += n
	t.to = r.at
	r.texts = append(r.texts, t)
	return r.expect(`";`)
}

// class reads the name of a class and the colon behind it.
func (r *serializedReader) class() error {
	if err := r.name(); err != nil {
		return err
	}
	return r.expect(":")
}

// name reads a letter, a colon, and a name with its length.
func (r *serializedReader) name() error {
	r.at += 2
	n, err := r.number(`:"`)
	if err != nil {
		return err
	}
	if n > len(r.s)-r.at {
		return errSyntax
	}
	r.at += n
	return r.expect(`"`)
}

// custom reads what a class has written itself.
func (r *serializedReader) custom() error {
	t := serializedText{digits: r.at, custom: true}
	n, err := r.number(":{")
	if err != nil {
		return err
	}
	t.digitsEnd, t.from = r.at-2, r.at
	if n > len(r.s)-r.at {
		return errSyntax
	}
	r.at += n
	t.to = r.at
	r.texts = append(r.texts, t)
	return r.expect("}")
}

// number reads a length or count and what follows it.
func (r *serializedReader) number(then string) (int, error) {
	from := r.at
	for r.at < len(r.s) && r.s[r.at] >= '0' && r.s[r.at] <= '9' {
		r.at++
	}
	digits := r.s[from:r.at]
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || len(digits) > 1 && digits[0] == '0' {
		return 0, errSyntax
	}
	return int(n), r.expect(then)
}

func (r *serializedReader) expect(text string) error {
	if !strings.HasPrefix(r.s[r.at:], text) {
		return errSyntax
	}
	r.at += len(text)
	return nil
}
