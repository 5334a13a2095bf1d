package protocol

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is the maximum length of a text for people; longer texts are truncated with a
// remark.
const maxText = 1 << 20

// text converts a text for people to UTF-8 of limited length.
func text(s string) string {
	if len(s) > maxText {
		s = s[:maxText] + fmt.Sprintf(" … (%d bytes more)", len(s)-maxText)
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// maxShown is how much of an error's text is shown.
const maxShown = 64 << 10

// shown makes the text of an error safe to print on a terminal.
func shown(s string) string {
	if n := len(s) - maxShown; n > 0 {
		return Printable(s[:maxShown]) + fmt.Sprintf(" … (%d bytes more)", n)
	}
	return Printable(s)
}

// Printable removes characters that would control a terminal.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' && r != '\n' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// words returns an error if a string that must not be changed is not UTF-8. what names it.
func words(what string, all ...string) error {
	for _, s := range all {
		if !utf8.ValidString(s) {
			return fmt.Errorf("%s is not UTF-8 and can't be sent to another process: %q", what, s[:min(len(s), 200)])
		}
	}
	return nil
}

// ErrContract is the error for a message that violates the contract of stages.
var ErrContract = errors.New("contract violated")

// broken returns an ErrContract with a reason.
func broken(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrContract, fmt.Errorf(format, args...))
}

// natural returns an error if a size or count is negative.
func natural(what string, all ...int64) error {
	for _, n := range all {
		if n < 0 {
			return broken("%s has the negative number %d", what, n)
		}
	}
	return nil
}

// each converts a list; an empty one becomes nil.
func each[A, B any](in []A, convert func(A) (B, error)) ([]B, error) {
	if len(in) == 0 {
		return nil, nil
	}
	out := make([]B, len(in))
	for i := range in {
		var err error
		if out[i], err = convert(in[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}
