package siteconfig

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle/php"
)

// UnknownError reports required settings whose values could not be determined, all
// for the same reason.
type UnknownError struct {
	Settings []string
	Pos      php.Pos // where the first is set; the line is 0 if it is nowhere
	// Shown is the assigned expression, with … in place of texts.
	Shown string
	// Reason says why they are unknown; nil for a setting that is not set, or empty.
	Reason *php.Reason
	// Unset lists the environment variables that the value depends on and that are not
	// set.
	Unset []string
}

func (e *UnknownError) Error() string {
	var b strings.Builder
	b.WriteString(e.Pos.File)
	if e.Pos.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Pos.Line)
	}
	names, are := strings.Join(e.Settings, ", "), "is"
	if len(e.Settings) > 1 {
		are = "are"
	}
	fmt.Fprintf(&b, ": %s %s ", names, are)
	switch {
	case e.Reason != nil:
		b.WriteString("not known")
		if e.Shown != "" && e.Shown != "…" {
			fmt.Fprintf(&b, " (%s)", e.Shown)
		}
		b.WriteString(": " + e.because())
	case len(e.Unset) > 0:
		fmt.Fprintf(&b, "empty: %s is not set in this environment", strings.Join(e.Unset, ", "))
	case e.Pos.Line > 0:
		b.WriteString("empty")
	default:
		b.WriteString("not set")
	}
	return b.String() + "; " + e.Remedy()
}

// because returns the reason, with its position if that differs from the setting's.
func (e *UnknownError) because() string {
	root := e.Reason.Root()
	text := root.Problem
	if root.Expr != "" && root.Expr != "…" && root.Expr != e.Shown && root.Cause == php.Code {
		text = root.Expr + ": " + text
	}
	if e.Reason != root {
		return fmt.Sprintf("%s%s: %s", e.Reason.Problem, e.where(e.Reason.Pos), text)
	}
	return text + e.where(root.Pos)
}

// where returns a position if it differs from the setting's.
func (e *UnknownError) where(pos php.Pos) string {
	switch {
	case pos == e.Pos:
		return ""
	case pos.File == e.Pos.File:
		return fmt.Sprintf(" (line %d)", pos.Line)
	}
	return fmt.Sprintf(" (%s)", pos)
}

// Remedy says what the administrator can do.
func (e *UnknownError) Remedy() string {
	itself := fmt.Sprintf("give %s as an option", e.Settings[0])
	if len(e.Settings) > 1 {
		itself = "give them as options"
	}
	switch {
	case e.Reason == nil && len(e.Unset) > 0:
		return fmt.Sprintf("set %s, or %s", strings.Join(e.Unset, ", "), itself)
	case e.Reason == nil:
		return itself
	}
	switch root := e.Reason.Root(); {
	case root.Cause == php.Server && root.Name == "HTTP_HOST":
		return "give the site's address, or " + itself
	case root.Cause == php.Server && root.Name != "":
		return fmt.Sprintf("give %s of the web server, or %s", root.Name, itself)
	case root.Cause == php.File && filepath.IsAbs(root.Name):
		return fmt.Sprintf("let Vault read the directory of %s, or %s", root.Name, itself)
	}
	return itself
}

// grouped joins errors. Settings that are unknown for the same reason become one error.
func grouped(faults []error) error {
	var all []error
	for _, fault := range faults {
		var next *UnknownError
		if !errors.As(fault, &next) || next.Reason == nil || !absorb(all, next) {
			all = append(all, fault)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return failure.Wrap(failure.Of(all[0]), errors.Join(all...))
}

// absorb merges an error with the same reason, which adds its settings.
func absorb(all []error, next *UnknownError) bool {
	for _, fault := range all {
		var e *UnknownError
		if errors.As(fault, &e) && e.Reason != nil && e.because() == e.reasoned(next) {
			e.Settings = append(e.Settings, next.Settings...)
			e.Shown = ""
			return true
		}
	}
	return false
}

// reasoned returns another error's reason as this error formats it.
func (e *UnknownError) reasoned(other *UnknownError) string {
	moved := *e
	moved.Reason = other.Reason
	return moved.because()
}
