// Package failure sorts errors into the classes that users and scripts act on.
package failure

import (
	"context"
	"errors"
	"fmt"
)

// Class is a kind of failure; its number is the exit code of the process.
type Class int

// The classes. An error without a class is Failed.
const (
	Failed      Class = 1   // something went wrong while working
	Usage       Class = 2   // the command line or the pipeline file is wrong
	Refused     Class = 3   // a check before the work refused it; nothing was changed
	Unproven    Class = 4   // the proof failed, or more was lost than the budget allows
	Interrupted Class = 130 // a person or the system asked to stop
)

type classed struct {
	class Class
	err   error
}

func (e *classed) Error() string { return e.err.Error() }
func (e *classed) Unwrap() error { return e.err }

// New makes an error of a class; format and args as in fmt.Errorf, %w included.
func New(class Class, format string, args ...any) error {
	return &classed{class, fmt.Errorf(format, args...)}
}

// Wrap gives err a class; nil stays nil.
func Wrap(class Class, err error) error {
	if err == nil {
		return nil
	}
	return &classed{class, err}
}

// Of returns the class of err: the outermost that was given, Interrupted for a
// cancelled context, 0 for nil, else Failed.
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
