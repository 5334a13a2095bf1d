package host

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/plugins/protocol"
)

// How much of a plugin's last output is kept for errors: the number of lines, and bytes per
// line. When a Go program panics, the first lines are kept. A program that prints more than
// deathLines, or continues to log, has survived.
const (
	lastLines  = 12
	lastBytes  = 600
	deathLines = 1000
)

// outputLog logs the output of a plugin and keeps the last lines. It is safe for concurrent
// use.
type outputLog struct {
	log     *slog.Logger
	secrets config.Redactor // hides secrets of the stages in the process

	mu    sync.Mutex
	dying int // number of lines of a Go panic printed so far; 0 if none
	last  []string
	err   error
}

// stderr handles a line of standard error.
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

// stdout handles a line that the plugin printed to standard output.
func (v *outputLog) stdout(line []byte) {
	m := v.parse(line)
	m.attrs = append(m.attrs, slog.String("stream", "stdout"))
	v.mu.Lock()
	v.keepLocked(m)
	v.mu.Unlock()
	v.write(m)
}

// parse parses a line and removes secrets of the stages in the process.
func (v *outputLog) parse(line []byte) message {
	if text := v.secrets.Redact(string(line)); text != string(line) {
		line = []byte(text)
	}
	return parse(line)
}

// Write handles output that go-plugin passes on, in pieces.
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
	if !m.time.IsZero() { // a log line, not just printed
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

// said returns the last lines to append to an error, or "" if there was no output.
func (v *outputLog) said() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.last) == 0 {
		return ""
	}
	return "; its last lines:\n  " + strings.ReplaceAll(strings.Join(v.last, "\n"), "\n", "\n  ")
}
