package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
)

// Position is a position in a file. Lines and columns count from 1.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// String returns FILE:LINE:COLUMN.
func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Severity is the severity of a finding. An Error prevents a run.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note" // nothing is wrong
)

// Finding is a problem, or a possible problem, in a file.
type Finding struct {
	Position
	Severity   Severity `json:"severity"`
	Message    string   `json:"message"`
	Suggestion string   `json:"suggestion,omitempty"` // what to do
	Path       string   `json:"path,omitempty"`       // of the setting in the file: source[0].with.rules[2].table
}

// String returns "FILE:LINE:COLUMN: SEVERITY: MESSAGE: SUGGESTION".
func (f Finding) String() string {
	s := fmt.Sprintf("%s: %s: %s", f.Position, f.Severity, f.Message)
	if f.Suggestion != "" {
		s += ": " + f.Suggestion
	}
	return s
}

// Findings is a list of findings in files.
type Findings []Finding

// Sort sorts the findings by position, and errors first at each position.
func (fs Findings) Sort() {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Severity, b.Severity))
	})
}

// Of returns the findings of one severity.
func (fs Findings) Of(s Severity) Findings {
	var out Findings
	for _, f := range fs {
		if f.Severity == s {
			out = append(out, f)
		}
	}
	return out
}

// Err returns the errors as one error of class failure.Usage with a line for each, or nil
// if there are none.
func (fs Findings) Err() error {
	var lines []string
	for _, f := range fs.Of(Error) {
		lines = append(lines, f.String())
	}
	if len(lines) == 0 {
		return nil
	}
	return failure.Wrap(failure.Usage, errors.New(strings.Join(lines, "\n")))
}
