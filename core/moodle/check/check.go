// Package check holds the checks of a Moodle site before a backup. It also defines what a
// check is, for checks of other packages, such as those before a restore.
//
// A check is a function from plain values to findings, with a description from which
// docs/checks.md is generated. Nothing in this package connects to anything or keeps state.
// All functions are safe for concurrent use.
package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/stage"
)

// Check describes a check.
type Check struct {
	ID     string        // ID of its findings: a-z, 0-9 and -
	Title  string        // heading, such as "Disk space"
	Levels []stage.Level // levels of its findings, in ascending order
	Doc    string        // what is checked and what the levels mean, as Markdown
	Remedy string        // what to do about findings, as Markdown; "" for nothing
}

// Finding returns a finding of the check.
func (c Check) Finding(level stage.Level, format string, args ...any) stage.ActionFinding {
	return stage.ActionFinding{ID: c.ID, Level: level, What: fmt.Sprintf(format, args...)}
}

// Undone returns the warning that the check could not be performed.
func (c Check) Undone(err error) stage.ActionFinding {
	f := c.Finding(stage.LevelWarning, "the check could not be performed: %v", err)
	f.Remedy = "remove the cause, or skip the check with skip: [" + c.ID + "]"
	return f
}

// Step is a check that can be performed on a T.
type Step[T any] struct {
	Check
	// Run returns the findings. An error means that the check could not be performed.
	Run func(ctx context.Context, of T) ([]stage.ActionFinding, error)
}

// Run performs checks in order, except those whose IDs skip lists. It adds a finding of
// LevelOK for a check without findings, and one of LevelWarning for a check that returns an
// error. Its error is that of ctx.
func Run[T any](ctx context.Context, steps []Step[T], of T, skip []string) ([]stage.ActionFinding, error) {
	var all []stage.ActionFinding
	for _, s := range steps {
		if slices.Contains(skip, s.ID) {
			all = append(all, s.Finding(stage.LevelNote, "%s: skipped, as set in the pipeline", strings.ToLower(s.Title)))
			continue
		}
		found, err := s.Run(ctx, of)
		if ctx.Err() != nil {
			return all, ctx.Err()
		}
		if all = append(all, found...); err != nil {
			all = append(all, s.Undone(err))
		} else if len(found) == 0 {
			all = append(all, s.Finding(stage.LevelOK, "%s: no problems found", strings.ToLower(s.Title)))
		}
	}
	return all, nil
}

// Checks returns the descriptions of steps.
func Checks[T any](steps []Step[T]) []Check {
	var all []Check
	for _, s := range steps {
		all = append(all, s.Check)
	}
	return all
}
