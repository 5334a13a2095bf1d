package encrypt

import (
	"strings"
	"unicode"

	"github.com/lmsvault/vault/core/stage"
)

// wrongPassphrase is stage.ErrKey with what is odd about the passphrase, or "".
type wrongPassphrase struct{ doubt string }

// Error says nothing of the passphrase but its oddity.
func (w wrongPassphrase) Error() string {
	if w.doubt == "" {
		return "wrong passphrase"
	}
	return "wrong passphrase (the one given " + w.doubt + "; was that intended?)"
}

// Is tells that it is a stage.ErrKey.
func (w wrongPassphrase) Is(target error) bool { return target == stage.ErrKey }

// otherReaders is stage.ErrOtherReaders with whom the pipeline names.
type otherReaders struct{ wanted string }

// Error says whom the pipeline names.
func (o otherReaders) Error() string {
	return stage.ErrOtherKey.Error() + ": it is for others than the pipeline asks for, which is " + o.wanted
}

// Unwrap returns stage.ErrOtherReaders.
func (o otherReaders) Unwrap() error { return stage.ErrOtherReaders }

// doubt finds what a person would not see when typing a passphrase again; one line
// break at its end is cut before it gets here.
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
