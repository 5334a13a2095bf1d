package stage

import (
	"errors"
	"time"
)

// Temporary marks err as one that may not recur: a lost connection, a deadlock, a busy
// service. The caller may repeat the operation, but not before after has passed; 0 means at
// once. A non-zero after is for requests to wait such as Retry-After in HTTP. The message
// is that of err. Temporary(nil, after) is nil.
func Temporary(err error, after time.Duration) error {
	if err == nil {
		return nil
	}
	return &temporaryError{err, after}
}

// IsTemporary reports whether err, or an error that it wraps, is Temporary, and the minimum
// time to wait before a retry.
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
