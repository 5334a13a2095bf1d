package run

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// lacking is a snapshot of a site whose table files refers to a content that was
// already missing when the snapshot was made.
func lacking() *memory {
	source := site()
	source.tables["files"] = append(source.tables["files"], "2\t"+absent)
	source.recorded = []stage.Loss{{Kind: stage.LossMissing, Path: "filedir/da/4b/" + absent, Reason: "nobody has it", Count: 1}}
	return source
}

func TestRestoreRefusesRecordedLosses(t *testing.T) {
	s := &target{}
	r, err := job(t, lacking(), s).Run(t.Context())
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), absent+": recorded when the snapshot was made: nobody has it") ||
		!strings.Contains(err.Error(), "--accept-loss missing_file=1") {
		t.Errorf("the error is %v", err)
	}
	if !slices.Equal(s.calls, []string{"check"}) || len(r.Losses) != 1 {
		t.Errorf("calls %v, losses %v", s.calls, r.Losses)
	}
}

func TestAcceptedRecordedLossIsCountedOnceAndProven(t *testing.T) {
	s := &target{}
	j := job(t, lacking(), s)
	j.Budget = map[stage.LossKind]int64{stage.LossMissing: 1}
	r, err := j.Run(t.Context())
	if err != nil || len(r.Losses) != 1 || r.Losses[0].Count != 1 || !slices.Contains(s.calls, "publish") {
		t.Errorf("%v, losses %v, calls %v", err, r.Losses, s.calls)
	}
	// A snapshot of the snapshot records the same loss with the same reason.
	again := lacking()
	again.recorded = s.outcome.Losses
	j = job(t, again, &target{})
	j.Budget = map[stage.LossKind]int64{stage.LossMissing: 1}
	if r2, err := j.Run(t.Context()); err != nil || !slices.Equal(lossTexts(r2.Losses), lossTexts(r.Losses)) {
		t.Errorf("%v, losses %v, then %v", err, r.Losses, r2.Losses)
	}
}

func lossTexts(list []stage.Loss) (texts []string) {
	for _, l := range list {
		texts = append(texts, describe(l))
	}
	return texts
}

// A directory that could not be read when the snapshot was made covers its files.
func TestRecordedDirectoryCoversItsFiles(t *testing.T) {
	source := lacking()
	source.recorded = []stage.Loss{{Kind: stage.LossUnreadable, Path: "filedir/da", Reason: "permission denied", Count: 1}}
	j := job(t, source, &target{})
	j.Budget = map[stage.LossKind]int64{stage.LossUnreadable: 1}
	if r, err := j.Run(t.Context()); err != nil || len(r.Losses) != 1 {
		t.Errorf("%v, losses %v", err, r.Losses)
	}
}

func TestRecordedLossOfUnusedPartIsIgnored(t *testing.T) {
	j := job(t, lacking(), &target{})
	j.Targets[0].Parts = []string{stage.DB}
	if r, err := j.Run(t.Context()); err != nil || len(r.Losses) > 0 {
		t.Errorf("%v, losses %v", err, r.Losses)
	}
}

// A snapshot with more losses than are listed still has the full counts.
func TestLossesBeyondLimitAreCountedByKindAndPart(t *testing.T) {
	source, s := site(), &target{}
	for i := range maxNamed + 5 {
		hash := fmt.Sprintf("%040x", i)
		source.tables["files"] = append(source.tables["files"], "9\t"+hash)
	}
	j := job(t, source, s)
	j.Budget = map[stage.LossKind]int64{stage.LossMissing: maxNamed + 5}
	if _, err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(s.outcome.Losses); n != maxNamed+1 || s.outcome.Losses[0].Path != stage.Filedir || s.outcome.Losses[0].Count != 5 {
		t.Fatalf("%d losses, first %+v", n, s.outcome.Losses[0])
	}
	source.recorded = s.outcome.Losses
	j = job(t, source, &target{})
	j.Budget = map[stage.LossKind]int64{stage.LossMissing: maxNamed + 4}
	if _, err := j.Run(t.Context()); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), fmt.Sprintf("missing_file=%d", maxNamed+5)) {
		t.Errorf("one too few accepted: %v", err)
	}
	j = job(t, source, &target{})
	j.Budget = map[stage.LossKind]int64{stage.LossMissing: maxNamed + 5}
	if _, err := j.Run(t.Context()); err != nil {
		t.Errorf("accepted: %v", err)
	}
}

// What one target cannot hold is not missing in another's snapshot.
func TestLossesOfOneTargetAreNotRecordedByAnother(t *testing.T) {
	source, poor, rich := site(), &target{}, &target{}
	source.losses = []stage.Loss{{Kind: stage.LossView, Path: "db/report", Reason: "a view", Count: 1}}
	poor.lost = []stage.Loss{stage.LostIndex("user", "a", "too long")}
	j := job(t, source, poor, rich)
	j.Budget = map[stage.LossKind]int64{stage.LossView: 1, stage.LossIndex: 1}
	r, err := j.Run(t.Context())
	if err != nil || len(r.Losses) != 2 || len(poor.outcome.Losses) != 2 || len(rich.outcome.Losses) != 1 || rich.outcome.Losses[0].Kind != stage.LossView {
		t.Errorf("%v, losses %v; %v; %v", err, r.Losses, poor.outcome.Losses, rich.outcome.Losses)
	}
}
