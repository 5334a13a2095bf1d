package cli

import (
	"io"

	"github.com/lmsvault/vault/core/config"
)

// discreet writes what people read, without the values that must not be shown. A
// value is found where one Write has all of it, as messages and log lines have.
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

// discreetJSON is discreet for documents of JSON, each in one Write.
type discreetJSON struct{ discreet }

// Write reports the length of p, whatever was hidden in it.
func (d discreetJSON) Write(p []byte) (int, error) {
	if _, err := d.Writer.Write(d.hidden.JSON(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// discreet wraps a stream of the command.
func (a *App) discreet(w io.Writer) io.Writer { return discreet{w, &a.Hidden} }

// DiscreetJSON wraps a stream of JSON.
func (a *App) DiscreetJSON(w io.Writer) io.Writer { return discreetJSON{discreet{w, &a.Hidden}} }

// Hide keeps a secret out of what the command says from now on.
func (a *App) Hide(s config.Secret) config.Secret {
	a.Hidden.Add(s.Reveal())
	return s
}
