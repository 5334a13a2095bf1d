package cli

import (
	"io"

	"github.com/lmsvault/vault/core/config"
)

// discreet writes text for people and redacts values that must not be shown. A value is
// found only if one Write contains all of it, as with messages and log lines.
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

// discreetJSON is like discreet, for JSON documents, each written with one Write.
type discreetJSON struct{ discreet }

// Write reports the length of p, whatever was hidden in it.
func (d discreetJSON) Write(p []byte) (int, error) {
	if _, err := d.Writer.Write(d.hidden.JSON(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// discreet returns a writer to w that redacts hidden values.
func (a *App) discreet(w io.Writer) io.Writer { return discreet{w, &a.Hidden} }

// DiscreetJSON returns a writer of JSON to w that redacts hidden values.
func (a *App) DiscreetJSON(w io.Writer) io.Writer { return discreetJSON{discreet{w, &a.Hidden}} }

// Hide redacts a secret in all further output of the command, and returns it.
func (a *App) Hide(s config.Secret) config.Secret {
	a.Hidden.Add(s.Reveal())
	return s
}
