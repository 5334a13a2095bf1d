package replaceaddress

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/stage"
)

// IDs of findings.
const (
	replacedID = "address-replaced"
	leftID     = "address-left"
	cachesID   = "address-in-caches"
)

// Limits of the report for each table.
const (
	maxExamples = 5
	maxLeft     = 20
)

type action struct {
	stage.UnimplementedAction
	config *Config
}

// Run replaces the address and reports each table.
func (a *action) Run(ctx context.Context, r stage.ActionRequest) (stage.ActionReport, error) {
	result, err := a.config.Replace(ctx, r.DryRun, maxExamples)
	if result == nil {
		return stage.ActionReport{}, err
	}
	return stage.ActionReport{Findings: result.Findings()}, err
}

// Findings describes the result, one finding for each table and each value that was left.
func (r *Result) Findings() []stage.ActionFinding {
	var list []stage.ActionFinding
	verb, changed := "was replaced", false
	if r.DryRun {
		verb = "would be replaced"
	}
	for _, t := range r.Tables {
		if t.Changed > 0 {
			changed = true
			list = append(list, stage.ActionFinding{
				ID: replacedID, Level: stage.LevelNote, Where: stage.DB + "/" + t.Table, Details: t.details(),
				What: fmt.Sprintf("the address %s in %d rows", verb, t.Changed),
			})
		}
		for i, l := range t.Left {
			if i == maxLeft {
				break
			}
			list = append(list, stage.ActionFinding{
				ID: leftID, Level: stage.LevelWarning, Where: strings.TrimSpace(stage.DB + "/" + t.Table + " " + l.Key + " column " + l.Column),
				What: "a value with the address stays as it is: " + l.Reason, Remedy: "change it on the site's own pages if it matters",
			})
		}
		if more := int64(len(t.Left)-maxLeft) + t.More; len(t.Left) > maxLeft {
			list = append(list, stage.ActionFinding{
				ID: leftID, Level: stage.LevelWarning, Where: stage.DB + "/" + t.Table,
				What: fmt.Sprintf("%d more values with the address stay as they are", more),
			})
		}
	}
	switch {
	case len(r.Tables) == 0:
		list = append(list, stage.ActionFinding{ID: replacedID, Level: stage.LevelOK, What: fmt.Sprintf("the address %s is not in the database", r.From)})
	case changed && !r.DryRun:
		list = append(list, stage.ActionFinding{ID: cachesID, Level: stage.LevelNote, What: "the site's caches may still have the old address", Remedy: "purge them: the action purge-caches, or php admin/cli/purge_caches.php"})
	}
	return list
}

// details lists the columns of a table and the examples.
func (t *Table) details() string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(t.Columns)) {
		lines = append(lines, fmt.Sprintf("column %s: %d values", name, t.Columns[name]))
	}
	for _, e := range t.Examples {
		lines = append(lines, fmt.Sprintf("%s: %s", strings.TrimSpace(e.Key+" column "+e.Column), e.Before), "  becomes "+e.After)
	}
	return strings.Join(lines, "\n")
}
