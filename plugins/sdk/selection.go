package sdk

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// RefuseSelection is for a source that always reads everything. It returns an error of
// class failure.Refused if the request selects anything in the given parts.
func RefuseSelection(r PlanRequest, parts ...string) error {
	var asked []string
	for key, of := range map[string]bool{
		"exclude_tables": len(r.Selection.ExcludeTables) > 0 && slices.Contains(parts, stage.DB),
		"structure_only": len(r.Selection.StructureOnly) > 0 && slices.Contains(parts, stage.DB),
		"rows":           len(r.Selection.Rows) > 0 && slices.Contains(parts, stage.DB),
		"exclude_files":  slices.ContainsFunc(parts, func(p string) bool { return len(r.Selection.ExcludeBelow(p)) > 0 }),
	} {
		if of {
			asked = append(asked, key)
		}
	}
	if asked == nil {
		return nil
	}
	slices.Sort(asked)
	return failure.New(failure.Refused, "this source reads everything and does not support select: %s", strings.Join(asked, ", "))
}
