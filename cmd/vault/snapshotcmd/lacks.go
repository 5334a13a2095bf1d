package snapshotcmd

import (
	"maps"
	"slices"
	"strings"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/stage"
)

// lossNouns maps each kind of loss to the noun for one item.
var lossNouns = map[stage.LossKind]string{
	stage.LossTable: "table", stage.LossColumn: "column", stage.LossRow: "row", stage.LossIndex: "index", stage.LossDefault: "default",
	stage.LossConstraint: "constraint", stage.LossView: "view", stage.LossTrigger: "trigger", stage.LossRoutine: "routine",
	stage.LossMissing: "file", stage.LossUnreadable: "unreadable file", stage.LossChanged: "changed file", stage.LossCorrupt: "intact file",
	stage.LossSpecial: "special file", stage.LossStored: "damaged item", stage.LossPart: "part",
	stage.LossTime: "file time", stage.LossOutside: "outside link",
}

// Lacking formats the losses of a snapshot: "199 files, 1 view".
func Lacking(lacks map[stage.LossKind]int64) string {
	if len(lacks) == 0 {
		return "nothing"
	}
	var words []string
	for _, kind := range slices.Sorted(maps.Keys(lacks)) {
		noun := lossNouns[kind]
		if noun == "" {
			noun = cli.Plain(string(kind))
		}
		words = append(words, cli.Count(lacks[kind], noun))
	}
	return strings.Join(words, ", ")
}

// missing formats what a snapshot lacks because of losses or a selection.
func missing(s *stage.Snapshot) string {
	switch {
	case !s.Selected():
		return Lacking(s.Lacks)
	case len(s.Lacks) > 0:
		return Lacking(s.Lacks) + "; partial (selection)"
	}
	return "partial (selection)"
}

// lacks lists what a snapshot lacks even if it is undamaged.
type lacks struct {
	Snapshot string                   `json:"snapshot"`
	Selected bool                     `json:"selected,omitempty"` // it was made with a selection
	Lacks    map[stage.LossKind]int64 `json:"lacks"`
}
