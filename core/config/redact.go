package config

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// shortest is how many bytes a value must have to be looked for in texts: shorter
// ones are parts of ordinary words.
const shortest = 3

// Redactor replaces values that must not be shown by *** in texts. The zero value
// replaces nothing. It is safe for concurrent use.
type Redactor struct {
	mu    sync.RWMutex
	forms []string // longest first
}

// Add hides values in every form in which a program might print them: as they are,
// line by line, quoted, and as JSON and URLs have them.
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
	for _, f := range forms {
		if len(f) >= shortest && !slices.Contains(r.forms, f) {
			r.forms = append(r.forms, f)
		}
	}
}

// Redact returns text without the values.
func (r *Redactor) Redact(text string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, f := range r.forms {
		text = strings.ReplaceAll(text, f, redacted)
	}
	return text
}

// Error returns err with a text without the values. What it wraps stays the same.
func (r *Redactor) Error(err error) error {
	if err == nil {
		return nil
	}
	if text := r.Redact(err.Error()); text != err.Error() {
		return hiding{err, text}
	}
	return err
}

// hiding is an error whose text held a value that must not be shown.
type hiding struct {
	error
	text string
}

func (h hiding) Error() string { return h.text }
func (h hiding) Unwrap() error { return h.error }

var (
	plainWord   = regexp.MustCompile(`^[a-z]{1,12}([_-][a-z]{1,12})*$`)
	plainNumber = regexp.MustCompile(`^-?([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|[KMGT]i?B)?)+$`)
	wholePath   = regexp.MustCompile(`^\.{0,2}/[A-Za-z0-9._/-]*$`)
)

// Plain tells whether text can hardly be a secret: short words of lower-case
// letters, a small number, or a path that begins with /, ./ or ../.
func Plain(text string) bool {
	return len(text) <= 24 && plainWord.MatchString(text) || len(text) <= 10 && plainNumber.MatchString(text) || len(text) <= 200 && wholePath.MatchString(text)
}

// harmless tells of a value that is a secret, or comes from where secrets are kept,
// whether hiding it would only make messages unreadable: one ordinary word, a
// number, a path, a prefix of tables. Passphrases of several words are not.
func harmless(value string) bool {
	return Plain(value) && !strings.ContainsAny(value, "_-") || wholePath.MatchString(value) || tablePrefix.MatchString(value)
}

var tablePrefix = regexp.MustCompile(`^[a-z][a-z0-9]{0,9}_$`)

var (
	passwordInURL  = regexp.MustCompile(`^(?:[a-z][a-z0-9+.-]*://)?[^:@/]*:(.*)@`)
	passwordInText = regexp.MustCompile(`(?i)\b(?:password|passwd|pwd)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&]*)`)
)

// passwords lists the passwords that stand in an address such as a DSN, as they
// are written there and as they are meant.
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
	return slices.DeleteFunc(found, func(p string) bool { return len(p) < 4 || harmless(p) })
}
