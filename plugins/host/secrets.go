package host

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
)

// shortest is how long a secret, or a line of one, must be to be looked for:
// shorter ones stand in ordinary words.
const shortest = 4

// secrets are those of the stages of a process. What the process says may hold
// them; what Vault shows of it doesn't. It is safe for concurrent use.
type secrets struct {
	mu   sync.RWMutex
	hide []string // longest first
}

// add remembers secrets in the forms that a program might print them in: as
// they are, line by line, and as JSON has them.
func (s *secrets) add(values []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range values {
		for line := range strings.Lines(v) {
			s.rememberLocked(strings.TrimSpace(line))
		}
		s.rememberLocked(v)
	}
	slices.SortFunc(s.hide, func(a, b string) int { return len(b) - len(a) })
}

func (s *secrets) rememberLocked(v string) {
	forms := []string{v}
	if b, err := json.Marshal(v); err == nil {
		forms = append(forms, string(b[1:len(b)-1]))
	}
	for _, f := range forms {
		if len(f) >= shortest && !slices.Contains(s.hide, f) {
			s.hide = append(s.hide, f)
		}
	}
}

// redact returns text without the secrets.
func (s *secrets) redact(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, h := range s.hide {
		text = strings.ReplaceAll(text, h, "***")
	}
	return text
}

// redacted is an error whose text held a secret.
type redacted struct {
	error
	text string
}

func (r redacted) Error() string { return r.text }
func (r redacted) Unwrap() error { return r.error }

// hidden returns err without the secrets in its text.
func (s *secrets) hidden(err error) error {
	if text := err.Error(); s.redact(text) != text {
		return redacted{err, s.redact(text)}
	}
	return err
}
