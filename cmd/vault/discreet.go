package main

import (
	"io"

	"github.com/lmsvault/vault/core/config"
)

// discreet writes what people and machines read, without the values that must not
// be shown. A value is found where one Write has all of it, as messages, log lines
// and JSON have.
type discreet struct {
	io.Writer
	hidden *config.Redactor
}

// Write reports the length of p, whatever was hidden in it.
func (d discreet) Write(p []byte) (int, error) {
	if _, err := io.WriteString(d.Writer, d.hidden.Redact(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// discreet wraps a stream of the command.
func (a *app) discreet(w io.Writer) io.Writer { return discreet{w, &a.hidden} }

// hide keeps a secret out of what the command says from now on.
func (a *app) hide(s config.Secret) config.Secret {
	if text := s.Reveal(); !config.Plain(text) {
		a.hidden.Add(text)
	}
	return s
}
