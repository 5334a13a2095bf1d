package host

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/plugins/protocol"
)

// How much of what a plugin said last is kept for its error: lines, and bytes of
// each. Of a Go program's death the first lines count; one that says more than
// deathLines, or goes on to log, lives on.
const (
	lastLines  = 12
	lastBytes  = 600
	deathLines = 1000
)

// outputLog logs what a plugin writes to its output, and keeps the last lines. It is safe
// for concurrent use.
type outputLog struct {
	log     *slog.Logger
	secrets config.Redactor // hides those of the stages of the process

	mu    sync.Mutex
	dying int // lines that a Go program has told of its death; 0: it doesn't
	last  []string
	err   error
}

// stderr takes a line of the standard error.
func (v *outputLog) stderr(line []byte) {
	m := v.parse(line)
	v.mu.Lock()
	plain := m.time.IsZero() && m.level == slog.LevelInfo
	switch {
	case !plain || v.dying == deathLines:
		v.dying = 0
	case v.dying > 0:
		v.dying++
	case strings.HasPrefix(m.text, "panic:") || strings.HasPrefix(m.text, "fatal error:"):
		v.dying = 1
		v.last = v.last[max(0, len(v.last)-3):]
	}
	if v.dying > 0 {
		m.level = slog.LevelError
	}
	v.keepLocked(m)
	v.mu.Unlock()
	v.write(m)
}

// stdout takes a line that the plugin printed where nothing should be.
func (v *outputLog) stdout(line []byte) {
	m := v.parse(line)
	m.attrs = append(m.attrs, slog.String("stream", "stdout"))
	v.mu.Lock()
	v.keepLocked(m)
	v.mu.Unlock()
	v.write(m)
}

// parse reads a line, without the secrets of the process's stages.
func (v *outputLog) parse(line []byte) message {
	if text := v.secrets.Redact(string(line)); text != string(line) {
		line = []byte(text)
	}
	return parse(line)
}

// Write takes what comes by go-plugin's own way, in pieces.
func (v *outputLog) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		v.stdout([]byte(strings.TrimRight(line, "\r\n")))
	}
	return len(b), nil
}

func (v *outputLog) write(m message) {
	if strings.TrimSpace(m.text) == "" && len(m.attrs) < 2 {
		return
	}
	if err := m.write(context.Background(), v.log); err != nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.err = err
	}
}

func (v *outputLog) keepLocked(m message) {
	text := strings.TrimRight(m.text, " \t\n")
	if text == "" {
		return
	}
	if v.dying > lastLines {
		return
	}
	if !m.time.IsZero() { // one of a log, and not just printed
		text = m.level.String() + " " + text
		for _, a := range m.attrs {
			if a.Key == "error" || a.Key == "panic" {
				text += ": " + protocol.Printable(a.Value.String())
			}
		}
	}
	if len(text) > lastBytes {
		text = strings.ToValidUTF8(text[:lastBytes], "") + cut
	}
	v.last = append(v.last, text)
	if v.dying == 0 {
		v.last = v.last[max(0, len(v.last)-lastLines):]
	}
}

// said are the last lines for the end of an error, "" if the plugin said nothing.
func (v *outputLog) said() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.last) == 0 {
		return ""
	}
	return "; its last lines:\n  " + strings.ReplaceAll(strings.Join(v.last, "\n"), "\n", "\n  ")
}
