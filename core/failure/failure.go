// Package failure sorts errors into classes, each with an exit code that users and scripts
// can act on.
package failure

import (
	"context"
	"errors"
	"fmt"
)

// Class is a class of errors. Its number is the exit code of the process.
type Class int

// The classes. An error without a class is Failed.
const (
	Failed      Class = 1   // the work failed
	Usage       Class = 2   // the command line or the pipeline file is wrong
	Refused     Class = 3   // a check before the work failed; nothing was changed
	Unproven    Class = 4   // the proof failed, or losses exceed the budget
	Afterwards  Class = 5   // the work is done and proven, but an action after it failed
	Interrupted Class = 130 // the user or the system asked to stop
)

type classed struct {
	class Class
	err   error
}

func (e *classed) Error() string { return e.err.Error() }
func (e *classed) Unwrap() error { return e.err }

// New returns an error of the given class, formatted as by fmt.Errorf, including %w.
func New(class Class, format string, args ...any) error {
	return &classed{class, fmt.Errorf(format, args...)}
}

// Wrap returns err with the given class; nil stays nil.
func Wrap(class Class, err error) error {
	if err == nil {
		return nil
	}
	return &classed{class, err}
}

// Of returns the class of err: the outermost one given by New or Wrap, Interrupted for a
// cancelled context, 0 for nil, otherwise Failed.
func Of(err error) Class {
	if err == nil {
		return 0
	}
	var c *classed
	if errors.As(err, &c) {
		return c.class
	}
	if errors.Is(err, context.Canceled) {
		return Interrupted
	}
	return Failed
}
