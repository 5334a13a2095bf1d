package encrypt

import (
	"strings"
	"unicode"

	"github.com/lmsvault/vault/core/stage"
)

// wrongPassphrase is stage.ErrKey with a hint about what is unusual in the
// passphrase, or "".
type wrongPassphrase struct{ doubt string }

// Error reveals nothing of the passphrase but the hint.
func (w wrongPassphrase) Error() string {
	if w.doubt == "" {
		return "wrong passphrase"
	}
	return "wrong passphrase (the one given " + w.doubt + "; was that intended?)"
}

// Is reports that it is stage.ErrKey.
func (w wrongPassphrase) Is(target error) bool { return target == stage.ErrKey }

// otherReaders is stage.ErrOtherReaders with the readers that the pipeline names.
type otherReaders struct{ wanted string }

// Error includes the readers that the pipeline names.
func (o otherReaders) Error() string {
	return stage.ErrOtherKey.Error() + ": it is for others than the pipeline asks for, which is " + o.wanted
}

// Unwrap returns stage.ErrOtherReaders.
func (o otherReaders) Unwrap() error { return stage.ErrOtherReaders }

// doubt describes what a person would not see when typing a passphrase; a single line
// break at its end has already been removed.
func doubt(passphrase string) string {
	before := strings.TrimLeftFunc(passphrase, unicode.IsSpace) != passphrase
	after := strings.TrimRightFunc(passphrase, unicode.IsSpace)
	switch ending := passphrase[len(after):]; {
	case after == "":
		return "is nothing but white space"
	case strings.ContainsAny(ending, "\r\n"):
		return "ends with a line break"
	case ending != "":
		return "ends with a space"
	case before:
		return "begins with a space or a line break"
	case strings.ContainsAny(passphrase, "\r\n"):
		return "has several lines"
	}
	return ""
}
