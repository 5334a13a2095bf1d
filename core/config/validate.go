package config

import (
	"errors"
	"fmt"
)

type keyError struct {
	key string
	err error
}

func (e *keyError) Error() string { return e.err.Error() }
func (e *keyError) Unwrap() error { return e.err }

// At makes an error about one setting, for a Validate method; format and args
// as in fmt.Errorf. Several may be joined with errors.Join.
func At(key, format string, args ...any) error { return &keyError{key, fmt.Errorf(format, args...)} }

// KeyOf returns the key of the setting that an error made with At is about; ok
// is false if err is about none, or about all of them.
func KeyOf(err error) (key string, ok bool) {
	if k, ok := errors.AsType[*keyError](err); ok {
		return k.key, true
	}
	return "", false
}

// Split takes apart what errors.Join put together; nil gives none. With KeyOf and
// Error of each, the errors of a Validate method cross to another process, where
// At and errors.Join make the same of them.
func Split(err error) []error {
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		if err == nil {
			return nil
		}
		return []error{err}
	}
	var all []error
	for _, e := range many.Unwrap() {
		all = append(all, Split(e)...)
	}
	return all
}

// invalid reports what Validate said, without secrets.
func (r *run) invalid(err error) {
	for _, err := range Split(err) {
		at := r.At(r.node)
		if key, ok := KeyOf(err); ok {
			if p, there := r.at[key]; there {
				at = p
			}
		}
		r.report(Error, at, r.hidden.Redact(err.Error()), "")
	}
}
