package main

import (
	"context"
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

// asksForJSON tells what was wanted where the command line can't be parsed.
func asksForJSON(args []string) bool {
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

// document makes standard output one JSON document: no event comes before it.
func (a *app) document() {
	if a.events != nil {
		a.reporter = progress.Silent{}
	}
}

// warn shows a warning about a pipeline.
func (a *app) warn(f config.Finding) {
	if a.warnsInEvents() {
		a.warning(f.Position.String(), strings.TrimSuffix(f.Message+": "+f.Suggestion, ": "))
	} else if !a.flag("quiet").on {
		a.say(f.String())
	}
}

// warning shows a warning about an object, a file or a place in one.
func (a *app) warning(path, text string) {
	if a.warnsInEvents() {
		a.events.Report(progress.Event{Time: time.Now(), Kind: progress.Warning, Path: path, Text: text})
	} else if !a.flag("quiet").on {
		a.say(plain(path) + ": warning: " + plain(text))
	}
}

// warnsInEvents reports whether warnings are events on standard output.
func (a *app) warnsInEvents() bool {
	return a.events != nil && a.reporter == progress.Reporter(a.events)
}

// close ends the report, and returns the first error of writing it.
func (a *app) close() error {
	switch {
	case a.events != nil:
		return a.events.Close()
	case a.reporter != nil:
		return a.reporter.Close()
	}
	return nil
}

// reportError is an error of writing the report.
type reportError struct{ error }

// Unwrap returns what the writer said.
func (e *reportError) Unwrap() error { return e.error }

// Error says what was tried.
func (e *reportError) Error() string { return "the report can't be written: " + e.error.Error() }

// muted writes what is good to know while a command works, and goes silent when
// that fails (a full disk below the log, a terminal that is gone): no reason to
// end a backup. Safe for concurrent use.
type muted struct {
	io.Writer
	mu  sync.Mutex
	err error
}

func (m *muted) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		_, m.err = m.Writer.Write(p)
	}
	return len(p), nil
}

// notes says that progress was not shown to its end.
func (m *muted) notes() []stage.Note {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		return nil
	}
	return []stage.Note{{Path: "progress", Text: "could not be written to standard error: " + m.err.Error()}}
}

// heard writes a report, and cancels the run when that fails: nobody reads it any more.
type heard struct {
	io.Writer
	cancel context.CancelCauseFunc
}

func (h heard) Write(p []byte) (int, error) {
	n, err := h.Writer.Write(p)
	if err != nil {
		h.cancel(&reportError{err})
	}
	return n, err
}
