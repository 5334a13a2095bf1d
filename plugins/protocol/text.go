package protocol

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is how much of a text for people travels; what is longer is cut and says so.
const maxText = 1 << 20

// text makes of a text for people what a message can carry, which is UTF-8 alone.
func text(s string) string {
	if len(s) > maxText {
		s = s[:maxText] + fmt.Sprintf(" … (%d bytes more)", len(s)-maxText)
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// maxShown is how much of an error's text is shown.
const maxShown = 64 << 10

// shown makes of the text of an error what a terminal can take.
func shown(s string) string {
	if n := len(s) - maxShown; n > 0 {
		return Printable(s[:maxShown]) + fmt.Sprintf(" … (%d bytes more)", n)
	}
	return Printable(s)
}

// Printable drops what would move a terminal's cursor or colour it.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' && r != '\n' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// words refuses what is no text for people and yet not UTF-8: it would have to be
// changed to be carried. what names it.
func words(what string, all ...string) error {
	for _, s := range all {
		if !utf8.ValidString(s) {
			return fmt.Errorf("%s is not UTF-8, and can't be told to another process: %q", what, s[:min(len(s), 200)])
		}
	}
	return nil
}

// ErrContract is a message that says what no stage may say.
var ErrContract = errors.New("the contract is not kept")

// broken makes an ErrContract that says how.
func broken(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrContract, fmt.Errorf(format, args...))
}

// natural refuses sizes and counts below 0.
func natural(what string, all ...int64) error {
	for _, n := range all {
		if n < 0 {
			return broken("%s tells of %d, which is less than none", what, n)
		}
	}
	return nil
}

// each converts all of a list; an empty one is nil.
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
