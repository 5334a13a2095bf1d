package config

import (
	"errors"
	"fmt"
	"strings"
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

// invalid reports what Validate said, without secrets.
func (r *run) invalid(err error) {
	if err == nil {
		return
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			r.invalid(e)
		}
		return
	}
	at := r.At(r.node)
	var k *keyError
	if errors.As(err, &k) {
		if p, there := r.at[k.key]; there {
			at = p
		}
	}
	r.report(Error, at, r.redact(err.Error()), "")
}

func (r *run) redact(text string) string {
	for _, s := range r.settings {
		if secret, ok := s.value.Interface().(Secret); ok && len(secret.Reveal()) > 2 {
			text = strings.ReplaceAll(text, secret.Reveal(), redacted)
		}
	}
	for _, h := range r.hidden {
		if len(h) > 2 {
			text = strings.ReplaceAll(text, h, redacted)
		}
	}
	return text
}
