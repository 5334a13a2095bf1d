package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
)

// lossNouns names one thing of each kind of loss.
var lossNouns = map[stage.LossKind]string{
	stage.LossTable: "table", stage.LossColumn: "column", stage.LossRow: "row", stage.LossIndex: "index", stage.LossDefault: "default",
	stage.LossConstraint: "constraint", stage.LossView: "view", stage.LossTrigger: "trigger", stage.LossRoutine: "routine",
	stage.LossMissing: "file", stage.LossUnreadable: "unreadable file", stage.LossChanged: "changed file", stage.LossCorrupt: "intact file",
	stage.LossSpecial: "special file", stage.LossStored: "damaged item", stage.LossPart: "part",
	stage.LossTime: "file time", stage.LossOutside: "outside link",
}

// lacking says what a snapshot lacks: "199 files, 1 view".
func lacking(lacks map[stage.LossKind]int64) string {
	if len(lacks) == 0 {
		return "nothing"
	}
	var words []string
	for _, kind := range slices.Sorted(maps.Keys(lacks)) {
		noun := lossNouns[kind]
		if noun == "" {
			noun = plain(string(kind))
		}
		words = append(words, count(lacks[kind], noun))
	}
	return strings.Join(words, ", ")
}

// lacks is what a snapshot that may be whole in the storage does not hold.
type lacks struct {
	Snapshot string                   `json:"snapshot"`
	Lacks    map[stage.LossKind]int64 `json:"lacks"`
}

// incomplete lists the snapshots, all or the one that want names, that lack something.
func incomplete(ctx context.Context, r *repository.Repository, want repository.Choice) ([]lacks, error) {
	var snaps []*repository.Snapshot
	if want.Snapshot != "" {
		s, err := r.Load(ctx, want)
		if err != nil {
			return nil, err
		}
		snaps = append(snaps, s)
	} else {
		list, err := r.Snapshots(ctx)
		if err != nil {
			return nil, err
		}
		for _, l := range list { // what can't be read is damage, and reported as such
			if l.Snapshot != nil && want.Matches(l.Snapshot) {
				snaps = append(snaps, l.Snapshot)
			}
		}
	}
	found := []lacks{}
	for _, s := range snaps {
		if len(s.Losses) > 0 {
			found = append(found, lacks{s.ID, s.Lacks()})
		}
	}
	return found, nil
}
