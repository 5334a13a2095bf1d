package host

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
)

// own is the name of go-plugin's own lines; a plugin's are named below it.
const own = "go-plugin"

// sink hands what go-plugin reads of a plugin's log to slog, with its level.
type sink struct{ log *slog.Logger }

func (s sink) Accept(name string, level hclog.Level, msg string, args ...any) {
	at := slog.LevelDebug
	if name != own { // go-plugin calls every end of a process an error
		switch level {
		case hclog.Error:
			at = slog.LevelError
		case hclog.Warn:
			at = slog.LevelWarn
		case hclog.Info:
			at = slog.LevelInfo
		}
	}
	s.log.Log(context.Background(), at, msg, args...)
}

func logger(log *slog.Logger) hclog.Logger {
	l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: own, Output: io.Discard, Level: hclog.Trace})
	l.RegisterSink(sink{log})
	return l
}

// maxTail is how much of what a plugin said last is kept for its error.
const maxTail = 8 << 10

// tail keeps the last lines of a plugin's standard error. It is safe for concurrent use.
type tail struct {
	mu  sync.Mutex
	buf []byte
	cut bool
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if over := len(t.buf) - maxTail; over > 0 {
		t.buf, t.cut = append(t.buf[:0], t.buf[over:]...), true
	}
	return len(b), nil
}

// said is the tail for the end of an error, "" if the plugin said nothing.
func (t *tail) said() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(strings.ToValidUTF8(string(t.buf), ""))
	if text == "" {
		return ""
	}
	if t.cut {
		text = "…" + text
	}
	return "; its last lines:\n" + text
}
