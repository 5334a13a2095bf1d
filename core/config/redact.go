package config

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// shortest is the minimum length, in bytes, of a value that is redacted. Shorter values
// occur within ordinary words.
const shortest = 3

// Redactor replaces values that must not be shown with ***. It is meant for messages of
// servers, plugins and the operating system; Vault's own messages contain no values (see
// Shown). The zero value replaces nothing. It is safe for concurrent use.
//
// A value that is one short word or number is replaced only where it is a whole word. A
// value that is one of Vault's keywords (see ownWord) is not replaced: messages would be
// unreadable, and the position of *** would reveal the value.
type Redactor struct {
	mu    sync.RWMutex
	forms []string // longest first
}

// Add adds values to hide, in every form in which a program might print them: unchanged,
// line by line, quoted, in lower or upper case, and encoded for JSON and URLs.
func (r *Redactor) Add(values ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range values {
		for line := range strings.Lines(v) {
			r.addLocked(strings.TrimSpace(line))
		}
		r.addLocked(v)
	}
	slices.SortStableFunc(r.forms, func(a, b string) int { return len(b) - len(a) })
}

func (r *Redactor) addLocked(v string) {
	quoted := strconv.Quote(v)
	forms := []string{v, quoted[1 : len(quoted)-1], url.QueryEscape(v), url.PathEscape(v)}
	if b, err := json.Marshal(v); err == nil {
		forms = append(forms, string(b[1:len(b)-1]))
	}
	for _, f := range append(forms, strings.ToLower(v), strings.ToUpper(v)) { // databases fold the case of identifiers
		if len(f) >= shortest && !ownWord(strings.ToLower(f)) && !slices.Contains(r.forms, f) {
			r.forms = append(r.forms, f)
		}
	}
}

// Redact returns text with the values replaced.
func (r *Redactor) Redact(text string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, f := range r.forms {
		if oneWord.MatchString(f) {
			text = replaceWord(text, f)
		} else {
			text = strings.ReplaceAll(text, f, redacted)
		}
	}
	return text
}

var oneWord = regexp.MustCompile(`^([A-Za-z]{1,12}|[0-9]{1,12})$`)

// replaceWord redacts word where it is not next to a letter or digit.
func replaceWord(text, word string) string {
	var out strings.Builder
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return out.String() + text[from:]
		}
		i += from
		end := i + len(word)
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[end:])
		out.WriteString(text[from:i])
		if letterOrDigit(before) || letterOrDigit(after) {
			out.WriteString(word)
		} else {
			out.WriteString(redacted)
		}
		from = end
	}
}

func letterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// Error returns err with the values in its message replaced. The result wraps err.
func (r *Redactor) Error(err error) error {
	if err == nil {
		return nil
	}
	if text := r.Redact(err.Error()); text != err.Error() {
		return hiding{err, text}
	}
	return err
}

// hiding wraps an error whose message contained a hidden value.
type hiding struct {
	error
	text string
}

func (h hiding) Error() string { return h.text }
func (h hiding) Unwrap() error { return h.error }

var (
	passwordInURL  = regexp.MustCompile(`^(?:[a-z][a-z0-9+.-]*://)?[^:@/]*:(.*)@`)
	passwordInText = regexp.MustCompile(`(?i)\b(?:password|passwd|pwd)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&]*)`)
)

// passwords returns the passwords in an address such as a DSN, both as written and
// decoded.
func passwords(address string) []string {
	var found []string
	add := func(text string) {
		text = strings.Trim(text, "'")
		if decoded, err := url.PathUnescape(text); err == nil && decoded != text {
			found = append(found, decoded)
		}
		found = append(found, text)
	}
	for _, re := range []*regexp.Regexp{passwordInURL, passwordInText} {
		for _, m := range re.FindAllStringSubmatch(address, -1) {
			add(m[1])
		}
	}
	return found
}
