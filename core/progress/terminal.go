package progress

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// redraw is the minimum time between two updates of the bar.
const redraw = 100 * time.Millisecond

// Terminal shows one line at the bottom of a terminal with a bar, the rate and the time
// left. Text written to it, such as a log, scrolls above the bar.
type Terminal struct {
	mu    sync.Mutex
	w     io.Writer
	width func() int
	err   error
	phase string
	drawn time.Time
	shown string // the bar as currently shown; "" for none
	held  bool   // no bar is drawn, because the terminal waits for an answer
	meter meter
}

// NewTerminal returns a Terminal that writes to w; width returns the number of columns.
func NewTerminal(w io.Writer, width func() int) *Terminal { return &Terminal{w: w, width: width} }

// Report updates the bar.
func (t *Terminal) Report(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e.Kind {
	case Phase:
		t.phase = e.Phase
		t.meter.begin(e)
		t.draw(t.phase + " …")
	case Moving:
		t.meter.add(e.Time, e.Bytes)
		if e.Time.Sub(t.drawn) < redraw {
			return
		}
		t.drawn = e.Time
		if t.meter.moved(e) {
			t.draw(t.phase + " " + bar(e) + " " + t.meter.line(e))
		} else {
			t.draw(t.phase + " … " + t.meter.line(e))
		}
	case Done, Failed:
		t.draw("")
	}
}

// Hold removes the bar until resume is called, so that a question can be asked on the
// terminal.
func (t *Terminal) Hold() (resume func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.draw("")
	t.held = true
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.held = false
	}
}

// Write writes whole lines above the bar.
func (t *Terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.above(p)
	if t.err != nil {
		return 0, t.err
	}
	return len(p), nil
}

// Close removes the bar and returns the first write error.
func (t *Terminal) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.draw("")
	return t.err
}

const clearLine = "\r\x1b[K"

func (t *Terminal) draw(line string) {
	if t.held {
		return
	}
	line = cut(line, t.width()-1)
	if line == t.shown {
		return
	}
	t.shown = line
	t.write([]byte(clearLine + line))
}

func (t *Terminal) above(lines []byte) {
	if !bytes.HasSuffix(lines, []byte("\n")) {
		lines = append(bytes.Clone(lines), '\n')
	}
	if t.shown == "" {
		t.write(lines)
		return
	}
	t.write([]byte(clearLine + string(lines) + t.shown))
}

func (t *Terminal) write(p []byte) {
	if t.err == nil {
		_, t.err = t.w.Write(p)
	}
}

func bar(e Event) string {
	const length = 24
	if e.TotalBytes <= 0 && e.TotalUnits <= 0 {
		return "[" + strings.Repeat("·", length) + "]"
	}
	full := int(percent(e)) * length / 100
	return "[" + strings.Repeat("█", full) + strings.Repeat("·", length-full) + "]"
}

// cut shortens a line to n characters.
func cut(line string, n int) string {
	if n <= 0 || utf8.RuneCountInString(line) <= n {
		return line
	}
	return string([]rune(line)[:n-1]) + "…"
}
