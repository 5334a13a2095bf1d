package stage

import (
	"errors"
	"time"
)

// Temporary marks err as one that may not come again: a lost connection, a
// deadlock, a busy service. What was asked for may be asked for again, not before
// after has passed if that is not 0, such as the Retry-After of an HTTP answer. The message stays that of err; nil stays nil.
func Temporary(err error, after time.Duration) error {
	if err == nil {
		return nil
	}
	return &temporaryError{err, after}
}

// IsTemporary tells whether err, or one that it wraps, is Temporary, and how long
// to wait at least before asking again.
func IsTemporary(err error) (after time.Duration, ok bool) {
	var t *temporaryError
	if !errors.As(err, &t) {
		return 0, false
	}
	return t.after, true
}

type temporaryError struct {
	err   error
	after time.Duration
}

func (e *temporaryError) Error() string { return e.err.Error() }
func (e *temporaryError) Unwrap() error { return e.err }
