package host

import (
	"context"
	"log/slog"
	"strings"
	"sync"
)

// How much of what a plugin said last is kept for its error: lines, and bytes of
// each. Of a Go program's death the first lines count.
const (
	lastLines = 12
	lastBytes = 600
)

// voice hears what a plugin says and logs it. It keeps the last lines. It is safe
// for concurrent use.
type voice struct {
	log *slog.Logger

	mu    sync.Mutex
	dying bool // a Go program tells of its death from here on
	last  []string
	left  int // lines that may follow while dying
	err   error
}

// stderr takes a line of the standard error.
func (v *voice) stderr(line []byte) {
	m := parse(line)
	v.mu.Lock()
	if plain := m.time.IsZero() && m.level == slog.LevelInfo; plain {
		if !v.dying && (strings.HasPrefix(m.text, "panic:") || strings.HasPrefix(m.text, "fatal error:")) {
			v.dying, v.left = true, lastLines-1
			v.last = v.last[max(0, len(v.last)-3):]
		}
		if v.dying {
			m.level = slog.LevelError
		}
	}
	v.keepLocked(m)
	v.mu.Unlock()
	v.write(m)
}

// stdout takes a line that the plugin printed where nothing should be.
func (v *voice) stdout(line []byte) {
	m := parse(line)
	m.attrs = append(m.attrs, slog.String("stream", "stdout"))
	v.mu.Lock()
	v.keepLocked(m)
	v.mu.Unlock()
	v.write(m)
}

// Write takes what comes by go-plugin's own way, in pieces.
func (v *voice) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		v.stdout([]byte(strings.TrimRight(line, "\r\n")))
	}
	return len(b), nil
}

func (v *voice) write(m message) {
	if strings.TrimSpace(m.text) == "" && len(m.attrs) < 2 {
		return
	}
	if err := m.write(context.Background(), v.log); err != nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.err = err
	}
}

func (v *voice) keepLocked(m message) {
	text := strings.TrimRight(m.text, " \t\n")
	if text == "" {
		return
	}
	if v.dying {
		if v.left--; v.left < 0 {
			return
		}
	}
	if !m.time.IsZero() { // one of a log, and not just printed
		text = m.level.String() + " " + text
		for _, a := range m.attrs {
			if a.Key == "error" || a.Key == "panic" {
				text += ": " + a.Value.String()
			}
		}
	}
	if len(text) > lastBytes {
		text = strings.ToValidUTF8(text[:lastBytes], "") + cut
	}
	v.last = append(v.last, text)
	if !v.dying && len(v.last) > lastLines {
		v.last = append(v.last[:0], v.last[1:]...)
	}
}

// said are the last lines for the end of an error, "" if the plugin said nothing.
func (v *voice) said() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.last) == 0 {
		return ""
	}
	return "; its last lines:\n  " + strings.ReplaceAll(strings.Join(v.last, "\n"), "\n", "\n  ")
}
