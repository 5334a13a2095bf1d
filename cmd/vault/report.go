package main

import (
	"context"
	"io"
)

// reportError is an error of writing the report.
type reportError struct{ error }

// Unwrap returns what the writer said.
func (e *reportError) Unwrap() error { return e.error }

// Error says what was tried.
func (e *reportError) Error() string { return "the report can't be written: " + e.error.Error() }

// heard writes a report, and cancels the run when that fails: whoever started it
// is gone, or can't learn what became of it.
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
