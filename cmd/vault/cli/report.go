package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
)

// AsksForJSON reports whether args or the environment request JSON. Use it if the command
// line cannot be parsed.
func AsksForJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	text := os.Getenv(envPrefix + "_JSON")
	for _, arg := range args {
		if arg == "--json" {
			text = "true"
		} else if value, ok := strings.CutPrefix(arg, "--json="); ok {
			text = value
		}
	}
	on, err := strconv.ParseBool(text)
	return on && err == nil
}

// eventsUnlessDocument reports events on standard output, unless the command prints a
// document.
type eventsUnlessDocument struct{ a *App }

// Report writes an event.
func (r eventsUnlessDocument) Report(e progress.Event) {
	if !r.a.printed.Load() && (!r.a.Document.Load() || e.Kind == progress.Failed) {
		r.a.Events.Report(e)
	}
}

// Close returns the first error of writing.
func (r eventsUnlessDocument) Close() error { return r.a.Events.Close() }

// logFile reports events to a file.
type logFile struct {
	*progress.JSON
	file *os.File
}

// Close closes the file.
func (l logFile) Close() error { return errors.Join(l.JSON.Close(), l.file.Close()) }

// warn prints a warning about a pipeline.
func (a *App) warn(f config.Finding) {
	if a.warnsInEvents() {
		a.Warning(f.Position.String(), strings.TrimSuffix(f.Message+": "+f.Suggestion, ": "))
	} else if !a.Flag("quiet").On {
		a.Say(f.String())
	}
}

// Warning prints a warning about an object, a file or a position in a file.
func (a *App) Warning(path, text string) {
	a.Reporter.Report(progress.Event{Kind: progress.Warning, Path: path, Text: text})
	if !a.warnsInEvents() && !a.Flag("quiet").On {
		a.Say(Plain(path) + ": warning: " + Plain(text))
	}
}

// warnsInEvents reports whether warnings are events on standard output.
func (a *App) warnsInEvents() bool {
	return a.Events != nil && !a.Document.Load()
}

// Close closes the report and returns the first error of writing it.
func (a *App) Close() error {
	if a.Reporter == nil {
		return nil
	}
	return a.Reporter.Close()
}

// ReportError is an error of writing the report.
type ReportError struct{ Err error }

// Unwrap returns the error of the writer.
func (e *ReportError) Unwrap() error { return e.Err }

// Error returns the message.
func (e *ReportError) Error() string { return "the report can't be written: " + e.Err.Error() }

// muted writes progress and log lines. After a failed write, for example to a full disk
// or a closed terminal, it discards all further output, because such an error must not
// fail a backup. It is safe for concurrent use.
type muted struct {
	io.Writer
	name string // of the destination
	mu   sync.Mutex
	err  error
}

// Write implements io.Writer.
func (m *muted) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		_, m.err = m.Writer.Write(p)
	}
	return len(p), nil
}

// mute returns a writer to w that discards output after an error.
func (a *App) mute(name string, w io.Writer) *muted {
	m := &muted{Writer: w, name: name}
	a.progress = append(a.progress, m)
	return m
}

// flushTime is how long the command waits for pending progress output.
const flushTime = 2 * time.Second

// Unshown returns notes about destinations where progress output is incomplete.
func (a *App) Unshown() (notes []stage.Note) {
	if !a.Reporter.Flush(flushTime) {
		notes = append(notes, stage.Note{Path: "progress", Text: "is shown late: who reads it is slower than the run"})
	}
	for _, m := range a.progress {
		m.mu.Lock()
		if m.err != nil {
			notes = append(notes, stage.Note{Path: "progress", Text: "could not be written to " + m.name + ": " + m.err.Error()})
		}
		m.mu.Unlock()
	}
	return notes
}

// heard writes a report and cancels the run if writing fails, because nobody reads the
// report any more.
type heard struct {
	io.Writer
	cancel context.CancelCauseFunc
}

// Write implements io.Writer.
func (h heard) Write(p []byte) (int, error) {
	n, err := h.Writer.Write(p)
	if err != nil {
		h.cancel(&ReportError{err})
	}
	return n, err
}
